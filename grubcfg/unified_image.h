// SPDX-License-Identifier: LGPL-2.1-or-later
// Unified kernel images: kernel, initrds and command line as sections of one EFI program.
// https://uapi-group.org/specifications/specs/unified_kernel_image/, systemd-stub(7)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grubcfg/diagnostics.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/menu.h"
#include "grubcfg/os_release.h"
#include "grubcfg/unified_addons.h"

namespace pvhgrub::grubcfg {

/// One of the ways in which an image boots.
struct UnifiedProfile {
  std::string id;                       ///< ID= of its ".profile"; empty for none
  std::string title;                    ///< TITLE= of it; empty for none
  std::optional<OsRelease> os_release;  ///< no value: there is no ".osrel"
  std::string command_line;             ///< of the image itself
  std::string more_command_line;        ///< of its addons
  /// Kind kLinux, loader_command "uki", all of both command lines.
  BootEntry boot;
};

struct UnifiedImage {
  std::uint16_t machine = 0;             ///< bootimage::kPeMachineAmd64 and the like
  std::vector<UnifiedProfile> profiles;  ///< at least one
};

/// Reads unified kernel images; remembers the addons that are for all images of a file system.
class UnifiedImageReader {
 public:
  UnifiedImageReader(GuestFiles files, Budget& budget, Diagnostics& diagnostics)
      : files_(std::move(files)), budget_(budget), diagnostics_(diagnostics) {}

  /// No value: the file is none: it cannot be read, is no PE image (with a notice where it is a damaged one),
  /// or has no ".linux". A Result's error is kLimit or the like.
  [[nodiscard]] Result<std::optional<UnifiedImage>> read(const FileReference& file);

 private:
  [[nodiscard]] Result<std::optional<UnifiedImage>> read_open_file(fs::File& opened,
                                                                   const FileReference& file);
  [[nodiscard]] Result<UnifiedProfile> read_profile(fs::File& opened, const FileReference& file,
                                                    const UnifiedSections& sections);
  /// The text of a section; empty, with a notice, where it cannot be read.
  [[nodiscard]] Result<std::string> text(fs::File& opened, const FileReference& file, const FilePart& part);
  [[nodiscard]] Result<void> apply_addons(UnifiedImage& image, const FileReference& file,
                                          const std::vector<std::optional<std::string>>& unames);
  [[nodiscard]] Result<const Companions*> global_companions(const std::string& device);
  void tell_unsupported(const FileReference& directory, const Companions& companions);

  GuestFiles files_;
  Budget& budget_;
  Diagnostics& diagnostics_;
  std::map<std::string, Companions, std::less<>> global_companions_;  ///< by device
};

/// Reads one image, as UnifiedImageReader::read().
[[nodiscard]] Result<std::optional<UnifiedImage>> read_unified_image(GuestFiles files,
                                                                     const FileReference& file,
                                                                     Budget& budget,
                                                                     Diagnostics& diagnostics);

/// What an image boots that is started with load options, as a boot loader does: "@1 " at their beginning
/// chooses a profile, what follows stands in the place of the image's own command line. Load options with
/// control characters are passed over, as systemd-stub does. BootEntry::error where there is no such profile.
[[nodiscard]] BootEntry start_unified_image(const UnifiedImage& image, std::string_view load_options);

}  // namespace pvhgrub::grubcfg
