// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/legacy_saved_default.h"

#include <array>
#include <optional>

#include "base/bytes.h"
#include "grubcfg/file_access.h"
#include "grubcfg/legacy_parser.h"

namespace pvhgrub::grubcfg {

namespace {

/// What GRUB 0.97 reads of the file `default`, in bytes.
constexpr std::size_t kNumberBytes = 10;

/// The second sector of stage2 (GRUB Legacy manual, "Embedded data"): two bytes of version, the number that
/// is saved, and what kind of stage it is.
constexpr std::size_t kStage2Bytes = 0x400;
constexpr std::size_t kVersionOffset = 0x206;
constexpr std::uint16_t kVersion = 0x0203;  // 3.2
constexpr std::size_t kSavedEntryOffset = 0x20c;
constexpr std::size_t kStageOffset = 0x210;
constexpr std::uint8_t kStage2 = 0;
/// Red Hat's `savedefault --once`.
constexpr std::uint32_t kOnceOnly = 0x10000;

/// The first bytes of a file; no value where it cannot be read.
Result<std::optional<std::string>> read_beginning(GuestFiles files, const FileReference& file,
                                                  std::size_t size, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files.open(file));
  if (!opened) return std::nullopt;
  PVHGRUB_TRY(budget.charge_bytes(size, "looking for the saved default entry"));
  std::string text(size, '\0');
  const Result<std::size_t> read = opened->read(0, std::as_writable_bytes(std::span(text)));
  if (!read && is_fatal(read.error())) return std::unexpected(read.error());
  if (!read) return std::nullopt;
  text.resize(*read);
  return text;
}

Result<std::uint32_t> saved_in_stage2(std::string_view stage2) {
  ByteReader reader(as_bytes(stage2));
  PVHGRUB_TRY(reader.seek(kVersionOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint16_t version, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY(reader.seek(kStageOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint8_t stage, reader.little_endian<std::uint8_t>());
  if (version != kVersion || stage != kStage2) return 0;
  PVHGRUB_TRY(reader.seek(kSavedEntryOffset));
  return reader.little_endian<std::uint32_t>();
}

}  // namespace

Result<std::uint32_t> read_legacy_saved_default(const GuestFiles& files, const FileReference& menu,
                                                Budget& budget, Diagnostics& diagnostics) {
  if (!files.has_disk()) return 0;
  const std::string directory = menu.path.substr(0, menu.path.rfind('/') + 1);
  const FileReference number_file{menu.device, directory + "default"};
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> number,
                     read_beginning(files, number_file, kNumberBytes, budget));
  if (number) {
    std::string_view text = *number;
    const std::uint32_t saved = take_legacy_number(text).value_or(0);
    diagnostics.explain("saved default entry in " + number_file.to_string() + ": " + std::to_string(saved));
    return saved;
  }
  const FileReference stage2_file{menu.device, directory + "stage2"};
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> stage2,
                     read_beginning(files, stage2_file, kStage2Bytes, budget));
  if (!stage2) return 0;
  const std::uint32_t saved = saved_in_stage2(*stage2).value_or(0);
  diagnostics.explain("saved default entry in " + stage2_file.to_string() + ": " + std::to_string(saved));
  if (saved < kOnceOnly) return saved;
  diagnostics.notice(stage2_file.to_string(), "entry " + std::to_string(saved % kOnceOnly) +
                                                  " is to be booted once, which is not followed, since "
                                                  "nothing is written to the guest; name it with --entry");
  return 0;
}

}  // namespace pvhgrub::grubcfg
