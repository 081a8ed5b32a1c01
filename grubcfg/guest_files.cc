// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/guest_files.h"

#include "fsreaders/file_range.h"
#include "grubcfg/block_list_file.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

namespace {

/// Hands fatal errors up; of any other only the reason is kept.
Result<void> note_reason(Error error, const FileReference& file, std::string* why) {
  if (is_fatal(error)) return std::unexpected(at(file.to_string(), std::move(error)));
  if (why != nullptr) *why = error.code == ErrorCode::kNotFound ? "file not found" : error.describe();
  return {};
}

}  // namespace

Result<std::unique_ptr<fs::File>> GuestFiles::open_whole(const FileReference& file) {
  if (is_block_list(file.path)) {
    fs::BlockSource* const device = devices_->source(file.device);
    if (device == nullptr) return fail(ErrorCode::kNotFound, "there is no such device");
    return open_block_list(*device, file.path, budget_);
  }
  PVHGRUB_TRY_ASSIGN(fs::FileSystem* const mounted, devices_->file_system(file.device));
  return mounted->open(file.path);
}

Result<std::unique_ptr<fs::File>> GuestFiles::open(const FileReference& file, std::string* why) {
  PVHGRUB_TRY(budget_.charge_steps(1 + file.path.size() / 8, "opening files"));
  if (devices_ == nullptr) {
    if (why != nullptr) *why = "there is no disk to read it from";
    return nullptr;
  }
  Result<std::unique_ptr<fs::File>> opened = open_whole(file);
  if (!opened) {
    PVHGRUB_TRY(note_reason(std::move(opened).error(), file, why));
    return nullptr;
  }
  if (!file.part) return opened;
  return fs::open_file_range(std::move(*opened), file.part->offset, file.part->size);
}

Result<std::optional<std::string>> GuestFiles::read(const FileReference& file, std::size_t maximum,
                                                    std::string* why) {
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, open(file, why));
  if (!opened) return std::nullopt;
  if (opened->size() > maximum) {
    if (why != nullptr)
      *why = "it has " + std::to_string(opened->size()) + " bytes, more than the " + std::to_string(maximum) +
             " that are read";
    return std::nullopt;
  }
  Result<std::string> contents = fs::read_whole_file(*opened, file.path, maximum, budget_);
  if (contents) return std::move(*contents);
  PVHGRUB_TRY(note_reason(std::move(contents).error(), file, why));
  return std::nullopt;
}

Result<void> GuestFiles::pass_over(Error error, const FileReference& file) {
  if (error.code == ErrorCode::kDamaged && !damage_) {
    damage_ = error;
    // Most errors of a path begin with it.
    const bool named = error.where.starts_with(file.path);
    damage_->where = (named ? "(" + file.device + ")" : file.to_string() + ": ") + error.where;
  }
  return note_reason(std::move(error), file, nullptr);
}

Result<bool> GuestFiles::is_file(const FileReference& file) {
  PVHGRUB_TRY(budget_.charge_steps(1 + file.path.size() / 8, "looking files up"));
  if (devices_ == nullptr) return true;
  Result<fs::FileSystem*> mounted = devices_->file_system(file.device);
  if (!mounted) {
    PVHGRUB_TRY(note_reason(std::move(mounted).error(), file, nullptr));
    return false;
  }
  Result<fs::FileInfo> info = (*mounted)->stat(file.path);
  if (info) return info->type == fs::FileType::kRegular;
  PVHGRUB_TRY(pass_over(std::move(info).error(), file));
  return false;
}

Result<std::vector<fs::DirectoryEntry>> GuestFiles::list(const FileReference& directory) {
  PVHGRUB_TRY(budget_.charge_steps(1 + directory.path.size() / 8, "listing directories"));
  std::vector<fs::DirectoryEntry> none;
  if (devices_ == nullptr) return none;
  Result<fs::FileSystem*> mounted = devices_->file_system(directory.device);
  if (!mounted) {
    PVHGRUB_TRY(note_reason(std::move(mounted).error(), directory, nullptr));
    return none;
  }
  Result<std::vector<fs::DirectoryEntry>> entries = (*mounted)->list(directory.path);
  if (!entries) {
    PVHGRUB_TRY(pass_over(std::move(entries).error(), directory));
    return none;
  }
  PVHGRUB_TRY(budget_.charge_steps(entries->size(), "listing directories"));
  return entries;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path;
  const std::string all =
      name.starts_with('/') ? std::string(name) : std::string(directory) + "/" + std::string(name);
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find('/', begin), all.size());
    const std::string_view step = std::string_view(all).substr(begin, end - begin);
    begin = end + 1;
    if (step.empty() || step == ".") continue;
    if (step == "..") {
      path.resize(path.empty() ? 0 : path.rfind('/'));
      continue;
    }
    path += "/";
    path += step;
  }
  return path.empty() ? "/" : path;
}

}  // namespace pvhgrub::grubcfg
