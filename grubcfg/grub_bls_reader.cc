// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/grub_bls_reader.h"

#include <utility>

#include "base/limits.h"
#include "grubcfg/bls_menu_entry.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// What a notice costs beside its text: see Evaluator::print_error().
constexpr std::uint64_t kNoticeSteps = 50;

}  // namespace

Result<void> GrubBlsReader::notice(const std::string& where, std::string text) {
  PVHGRUB_TRY(session_.budget.charge_steps(kNoticeSteps, "reading boot loader entries"));
  session_.diagnostics.notice(where, std::move(text));
  return {};
}

Result<bool> GrubBlsReader::add_directory(fs::FileSystem& file_system, std::string_view device,
                                          std::string_view path, std::string& why) {
  directory_ = make_bls_directory(device, path);
  PVHGRUB_TRY_ASSIGN(std::optional<std::vector<BlsFile>> listed,
                     list_bls_directory(file_system, directory_, suffix_, dialect_, session_.budget, why));
  if (!listed) return false;
  found_ = std::move(*listed);
  return true;
}

void GrubBlsReader::add_file(const FileReference& file) {
  const std::size_t slash = file.path.rfind('/');
  directory_ = make_bls_directory(file.device, file.path.substr(0, slash == 0 ? 1 : slash));
  found_.push_back({directory_, file.path.substr(slash + 1)});
}

bool GrubBlsReader::is_default(std::string_view name, const std::string* title, std::size_t index) const {
  const std::string* wanted = evaluator_.environment().get("default");
  const bool is_upstream = dialect_ == BlsDialect::kUpstream;
  if (wanted == nullptr || (is_upstream && wanted->empty())) return false;
  if (*wanted == name || (title != nullptr && *wanted == *title)) return true;
  const ParsedNumber number = parse_number(*wanted, 0);
  if (number.status != kStatusOk || (is_upstream && !number.rest.empty())) return false;
  return number.value == index;
}

bool GrubBlsReader::is_selected(std::string_view name, const std::string* title, std::size_t index,
                                const BlsSelection& selection) const {
  if (is_of_red_hat(dialect_)) name = without_conf(name);
  if (selection.named == name) return true;
  if (selection.default_entry && selection.others) return true;
  if (!selection.default_entry && !selection.others) return false;
  return is_default(name, title, index) == selection.default_entry;
}

Result<std::optional<GrubBlsEntry>> GrubBlsReader::read_entry(const FileReference& file) {
  std::string why;
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> contents,
                     files_.read(file, limits::kBlsEntryBytes, &why));
  if (!contents) {
    PVHGRUB_TRY(notice(file.to_string(), "this boot loader entry is passed over: " + why));
    return std::nullopt;
  }
  PVHGRUB_TRY(session_.budget.charge_steps(1 + contents->size() / 64, "reading boot loader entries"));
  Result<GrubBlsEntry> entry = GrubBlsEntry::parse(*contents, dialect_);
  if (entry) return std::move(*entry);
  PVHGRUB_TRY(notice(file.to_string(), "this boot loader entry is passed over: " + entry.error().message));
  return std::nullopt;
}

Result<bool> GrubBlsReader::take(BlsFile& file, std::size_t index, const BlsSelection& selection) {
  PVHGRUB_TRY_ASSIGN(const std::optional<GrubBlsEntry> entry, read_entry(file.file()));
  if (!entry) return false;
  const BlsField* title = entry->first("title");
  if (!is_selected(file.name, title != nullptr ? &title->value : nullptr, index, selection)) return true;
  file.is_shown = true;
  PVHGRUB_TRY(make_entry(file, *entry));
  return true;
}

Result<void> GrubBlsReader::make_entry(const BlsFile& file, const GrubBlsEntry& entry) {
  const std::string where = file.file().to_string();
  for (const BlsRemark& remark : entry.remarks())
    PVHGRUB_TRY(notice(where + ":" + std::to_string(remark.line), remark.text));
  if (entry.first("linux") == nullptr) {
    for (const std::string_view key : {"uki", "efi", "uki-url"})
      if (const BlsField* field = entry.first(key))
        return notice(where + ":" + std::to_string(field->line),
                      "GRUB passes over an entry of an EFI program (`" + std::string(key) +
                          "'): only one with `linux' can be booted");
    return notice(where, "GRUB passes over this entry: it has no `linux'");
  }
  Result<BlsMenuEntry> made =
      make_bls_menu_entry(entry, dialect_, file.file(), evaluator_.environment(), session_.budget);
  if (!made) return std::unexpected(at(where, std::move(made).error()));
  return evaluator_.add_entry(std::move(made->shown), std::move(made->body));
}

Result<bool> GrubBlsReader::take_unified(BlsFile& file, std::size_t index, const BlsSelection& selection) {
  const FileReference reference = file.file();
  PVHGRUB_TRY_ASSIGN(const std::optional<UnifiedImage> image, images_.read(reference));
  if (!image) {
    PVHGRUB_TRY(notice(reference.to_string(), "it is passed over: it is no unified kernel image"));
    return false;
  }
  if (!is_selected(file.name, nullptr, index, selection)) return true;
  file.is_shown = true;
  if (!image->profiles.front().os_release) {
    PVHGRUB_TRY(
        notice(reference.to_string(),
               "GRUB passes over this unified kernel image: it has no `.osrel' to take a title from"));
    return true;
  }
  PVHGRUB_TRY(make_unified_entry(file, *image));
  return true;
}

// GRUB hands the image's own command line on as its load options, as words of a script.
Result<void> GrubBlsReader::make_unified_entry(const BlsFile& file, const UnifiedImage& image) {
  const FileReference reference = file.file();
  const UnifiedProfile& profile = image.profiles.front();
  std::vector<SourceText::MadeLine> lines;
  if (is_variable_true(evaluator_.environment(), "blsuki_save_default")) lines.push_back({"savedefault", 1});
  lines.push_back({"chainloader " + reference.to_string() +
                       (profile.command_line.empty() ? "" : " " + profile.command_line),
                   1});
  MenuEntry entry;
  entry.title = profile.os_release->name;
  entry.id = file.name;
  EntryBody body;
  body.range = SourceRange::whole(SourceText::from_lines(lines, reference.to_string()));
  PVHGRUB_TRY(session_.budget.charge_bytes(body.range.text().size(), "making menu entries"));
  return evaluator_.add_entry(std::move(entry), std::move(body));
}

Result<std::vector<BlsFile>> GrubBlsReader::show(std::vector<BlsFile> known, const BlsSelection& selection) {
  const std::size_t first_entry = evaluator_.menu().entries.size();
  const std::size_t count = found_.size();
  for (BlsFile& file : known) file.is_known = true;
  PVHGRUB_TRY_ASSIGN(std::vector<BlsFile> files,
                     merge_bls_files(std::move(known), std::exchange(found_, {}), dialect_, session_.budget));
  std::vector<BlsFile> kept;
  kept.reserve(files.size());
  for (BlsFile& file : files) {
    PVHGRUB_TRY(session_.budget.charge_steps(1, "reading boot loader entries"));
    if (!file.is_known && !kept.empty() && compare_bls_files(kept.back(), file, dialect_) == 0) {
      if (kept.back().file() != file.file())
        PVHGRUB_TRY(notice(file.file().to_string(),
                           "GRUB takes it for the same entry as " + kept.back().file().to_string() +
                               " and passes over it: the names differ in nothing that "
                               "counts in versions"));
      continue;
    }
    bool can_be_read = true;
    if (!file.is_shown) {
      PVHGRUB_TRY_ASSIGN(can_be_read, is_unified() ? take_unified(file, kept.size(), selection)
                                                   : take(file, kept.size(), selection));
    }
    if (can_be_read) kept.push_back(std::move(file));
  }
  session_.diagnostics.explain(
      "boot loader entries: " + std::to_string(evaluator_.menu().entries.size() - first_entry) + " of " +
      std::to_string(count) + " files in " + directory_->to_string() + " shown");
  return kept;
}

}  // namespace pvhgrub::grubcfg
