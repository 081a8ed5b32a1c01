// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_menu_entry.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "grubcfg/bls_directory.h"

namespace pvhgrub::grubcfg {

namespace {

/// The path up to its last '/'; all of it where there is none.
std::string_view directory_of(std::string_view path) {
  return path.substr(0, path.rfind('/') == path.npos ? path.npos : path.rfind('/') + 1);
}

/// Puts the script together, line by line. The words are not quoted: a quote, a backslash, a ';' or a '$' in
/// a value means to the script what it always does.
class BodyWriter {
 public:
  BodyWriter(const GrubBlsEntry& entry, BlsDialect dialect, const FileReference& file,
             const Environment& environment, Budget& budget)
      : entry_(entry), dialect_(dialect), environment_(environment), budget_(budget) {
    if (is_red_hat()) device_ = dialect == BlsDialect::kSuse ? "(" + file.device + ")" : "($root)";
  }

  Result<std::vector<SourceText::MadeLine>> write() {
    write_preparations();
    PVHGRUB_TRY(write_kernel());
    PVHGRUB_TRY(write_initrds());
    PVHGRUB_TRY(write_device_tree());
    return std::move(lines_);
  }

 private:
  [[nodiscard]] bool is_red_hat() const { return is_of_red_hat(dialect_); }
  [[nodiscard]] const BlsField& kernel() const { return *entry_.first("linux"); }
  [[nodiscard]] Result<std::optional<std::string>> expand(std::string_view value) {
    return expand_bls_value(value, dialect_, environment_, budget_);
  }
  [[nodiscard]] Result<std::optional<std::string>> expand_field(std::string_view key) {
    const BlsField* field = entry_.first(key);
    if (field == nullptr) return std::nullopt;
    return expand(field->value);
  }
  [[nodiscard]] Result<std::optional<std::string>> expand_variable(std::string_view name) {
    const std::string* value = environment_.get(name);
    if (value == nullptr) return std::nullopt;
    return expand(*value);
  }
  void add(std::string text, std::uint32_t line) { lines_.push_back({std::move(text), line}); }

  void write_preparations() {
    const bool saves = is_red_hat() ? environment_.value_or_empty("save_default") == "true"
                                    : is_variable_true(environment_, "blsuki_save_default");
    if (saves) add("savedefault", kernel().line);
    if (!is_red_hat()) return;
    for (const std::string_view line : {"load_video", "set gfxpayload=keep", "insmod gzio"})
      add(std::string(line), kernel().line);
  }

  Result<void> write_kernel() {
    PVHGRUB_TRY_ASSIGN(std::optional<std::string> options, expand_field("options"));
    if (!options && is_red_hat()) {
      PVHGRUB_TRY_ASSIGN(options, expand_variable("default_kernelopts"));
    }
    std::string line = "linux " + device_ + kernel().value;
    if (options) line += " " + *options;
    add(std::move(line), kernel().line);
    return {};
  }

  Result<void> write_initrds() {
    const std::vector<const BlsField*> initrds = entry_.all("initrd");
    const BlsField& first = initrds.empty() ? kernel() : *initrds.front();
    std::string line;
    // Red Hat's $early_initrd: names of files beside the first initrd, or beside the kernel.
    const std::string* early = is_red_hat() ? environment_.get("early_initrd") : nullptr;
    if (early != nullptr) {
      const std::string_view names = *early;
      for (std::size_t begin = 0; begin <= names.size();) {
        const std::size_t end = std::min(names.find(' ', begin), names.size());
        line += " ";
        line += device_;
        line += directory_of(first.value);
        line += names.substr(begin, end - begin);
        begin = end + 1;
        if (line.size() > limits::kWordBytes)
          return fail(ErrorCode::kLimit, "the files of $early_initrd make a line of more than " +
                                             std::to_string(limits::kWordBytes) + " bytes");
      }
    }
    for (const BlsField* initrd : initrds) {
      line += " ";
      line += device_;
      line += initrd->value;
    }
    if (!line.empty()) add("initrd" + line, first.line);
    return {};
  }

  Result<void> write_device_tree() {
    PVHGRUB_TRY_ASSIGN(std::optional<std::string> path, expand_field("devicetree"));
    const BlsField* field = entry_.first("devicetree");
    if (path) {
      add("devicetree " + device_ + *path, field->line);
      return {};
    }
    if (!is_red_hat()) return {};
    PVHGRUB_TRY_ASSIGN(path, expand_variable("devicetree"));
    if (path) add("devicetree " + device_ + std::string(directory_of(kernel().value)) + *path, kernel().line);
    return {};
  }

  const GrubBlsEntry& entry_;
  BlsDialect dialect_;
  std::string device_;  ///< what stands before a path: 2.14 leaves the device to the command that opens it
  const Environment& environment_;
  Budget& budget_;
  std::vector<SourceText::MadeLine> lines_;
};

std::string make_id(std::string_view name, BlsDialect dialect) {
  name = without_conf(name);
  // Red Hat's GRUB takes the suffix off when it reads the file, and again when it makes the entry.
  return std::string(is_of_red_hat(dialect) ? without_conf(name) : name);
}

std::vector<std::string> values_of(const GrubBlsEntry& entry, std::string_view key) {
  std::vector<std::string> values;
  for (const BlsField* field : entry.all(key)) values.push_back(field->value);
  return values;
}

}  // namespace

Result<BlsMenuEntry> make_bls_menu_entry(const GrubBlsEntry& entry, BlsDialect dialect,
                                         const FileReference& file, const Environment& environment,
                                         Budget& budget) {
  BlsMenuEntry made;
  const BlsField* title = entry.first("title");
  made.shown.title = title != nullptr ? title->value : entry.first("linux")->value;
  made.shown.id = make_id(std::string_view(file.path).substr(file.path.rfind('/') + 1), dialect);
  made.shown.classes = values_of(entry, "grub_class");
  if (const BlsField* users = entry.first("grub_users")) {
    PVHGRUB_TRY_ASSIGN(const std::optional<std::string> names,
                       expand_bls_value(users->value, dialect, environment, budget));
    // `grub_users $grub_users` without that variable: everybody may boot the entry.
    made.shown.restricted = names.has_value();
    if (names) made.shown.users = split_user_names(*names);
  }
  if (const BlsField* hotkey = entry.first("grub_hotkey")) made.shown.hotkey = hotkey->value;
  made.body.more_arguments = values_of(entry, "grub_arg");
  PVHGRUB_TRY_ASSIGN(const std::vector<SourceText::MadeLine> lines,
                     BodyWriter(entry, dialect, file, environment, budget).write());
  made.body.range = SourceRange::whole(SourceText::from_lines(lines, file.to_string()));
  PVHGRUB_TRY(budget.charge_bytes(made.body.range.text().size(), "making menu entries"));
  return made;
}

bool is_variable_true(const Environment& environment, std::string_view name) {
  constexpr std::array<std::string_view, 5> kFalse = {"", "0", "false", "disable", "no"};
  return std::ranges::find(kFalse, environment.value_or_empty(name)) == kFalse.end();
}

}  // namespace pvhgrub::grubcfg
