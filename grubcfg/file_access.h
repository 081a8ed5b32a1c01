// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's files by GRUB's names: "(hd0,gpt2)/boot/vmlinuz", or "/boot/vmlinuz" on the device that $root
// names; also lists of blocks: "(hd0,gpt2)512+1".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "grubcfg/evaluator.h"
#include "grubcfg/menu.h"
#include "grubcfg/test_expression.h"
#include "grubcfg/wildcard.h"

namespace pvhgrub::grubcfg {

/// Every function that gives no value has raised GRUB's error in the evaluator. A Result's error is fatal
/// (kLimit).
class FileAccess : public FileTests, public WildcardFiles {
 public:
  explicit FileAccess(Evaluator& evaluator) : evaluator_(evaluator) {}

  /// Splits a name into device and path, without asking the disk for the file. Without a disk the device may
  /// be empty.
  [[nodiscard]] std::optional<FileReference> locate(std::string_view name);
  /// What Devices calls the device that scripts call `name`, without parentheses: the same but for disks that
  /// `loopback` made.
  [[nodiscard]] std::optional<std::string> resolve_device(std::string_view name);
  /// The file system of a device, by its name in file references.
  [[nodiscard]] Result<fs::FileSystem*> file_system(std::string_view device);
  [[nodiscard]] Result<std::unique_ptr<fs::File>> open(const FileReference& file);
  /// The whole contents of a file of at most `maximum` bytes.
  [[nodiscard]] Result<std::optional<std::string>> read(const FileReference& file, std::size_t maximum);
  /// The same of a file that is open already.
  [[nodiscard]] Result<std::optional<std::string>> read(fs::File& opened, const FileReference& file,
                                                        std::size_t maximum);

  /// A file that a loader names: it must be there, except without a disk, where nothing can be looked up.
  [[nodiscard]] Result<std::optional<FileReference>> locate_for_loader(std::string_view name);

  [[nodiscard]] Result<Answer> look_up(std::string_view name) override;
  [[nodiscard]] Result<bool> has_contents(std::string_view name) override;
  /// In the order in which GRUB goes through them: the disks that `loopback` made, the newest first, then all
  /// others; after each disk its partitions from the last to the first. By the names that scripts use.
  [[nodiscard]] std::vector<std::string> device_names() override;
  /// The partitions of a disk from the first to the last, by the names that scripts use.
  [[nodiscard]] std::vector<std::string> partition_names(std::string_view disk);
  [[nodiscard]] Result<std::optional<std::vector<std::string>>> names_in(std::string_view directory) override;

  /// Raises what GRUB would say of a failed look-up, or hands a fatal error up.
  [[nodiscard]] Result<void> report(Error error, const FileReference& file);

 private:
  /// Where a path of a device is when SUSE's and Red Hat's $btrfs_relative_path is set.
  [[nodiscard]] std::string path_in_subvolume(const std::string& device, std::string path);
  [[nodiscard]] Result<std::unique_ptr<fs::File>> open_blocks(const FileReference& file);

  Evaluator& evaluator_;
};

/// True for errors that end the evaluation, whatever GRUB would do.
[[nodiscard]] bool is_fatal(const Error& error);

}  // namespace pvhgrub::grubcfg
