// SPDX-License-Identifier: LGPL-2.1-or-later
// Disk images for tests: bytes in memory behind a descriptor, MBR and GPT made to order (also wrong ones),
// loop devices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "fsreaders/disk.h"

namespace pvhgrub::fs::test {

/// A sparse image file without a name. Aborts the test where the host cannot make one.
class Image {
 public:
  explicit Image(std::uint64_t size);

  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void write(std::uint64_t offset, std::string_view text) { write(offset, std::as_bytes(std::span(text))); }
  void fill(std::uint64_t offset, std::size_t count, std::byte value);
  [[nodiscard]] std::byte read(std::uint64_t offset) const;
  void resize(std::uint64_t size);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// A path by which other programs can open it while this lives.
  [[nodiscard]] std::string path() const;
  /// As the broker describes a file.
  [[nodiscard]] DiskInput input() const;

 private:
  UniqueFd fd_;
  std::uint64_t size_;
};

/// One MBR entry; `start` and `sectors` in sectors.
struct MsdosEntry {
  std::uint8_t type = 0;
  std::uint32_t start = 0;
  std::uint32_t sectors = 0;
  std::uint8_t flag = 0;
};

/// Writes a boot record (master or extended) into a sector, with or without 55 AA.
void write_boot_record(Image& image, std::uint64_t offset, const std::vector<MsdosEntry>& entries,
                       std::uint32_t disk_signature = 0, bool magic = true);

struct GptEntry {
  std::uint64_t first = 0;  ///< sector
  std::uint64_t last = 0;   ///< sector
  std::string name = {};    ///< ASCII
  std::uint64_t attributes = 0;
  std::uint8_t type_byte = 0xAF;  ///< repeated sixteen times it is the type GUID; 0: unused
};

/// A GPT with every field settable, and right by default.
struct GptMaker {
  std::uint32_t sector_size = 512;
  std::vector<GptEntry> entries = {};
  std::uint32_t entry_count = 128;
  std::uint32_t entry_size = 128;
  std::uint32_t header_size = 92;
  std::optional<std::uint64_t> last_usable = {};
  std::uint32_t protective_start = 1;

  /// Writes the protective MBR and both copies; sizes follow from the image's.
  void write(Image& image) const;
  /// Writes one header, whose entries lie at `entries_sector` and hold what is there already.
  void write_header(Image& image, std::uint64_t sector, std::uint64_t alternate,
                    std::uint64_t entries_sector) const;
  [[nodiscard]] std::vector<std::byte> entry_array() const;
};

/// A loop device over an image, or nothing where this process cannot have one.
class LoopDevice {
 public:
  [[nodiscard]] static std::optional<LoopDevice> attach(const std::string& path, unsigned sector_size = 512);
  LoopDevice(LoopDevice&& other) noexcept = default;
  LoopDevice& operator=(LoopDevice&&) = delete;
  ~LoopDevice();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// As the broker describes a block device.
  [[nodiscard]] DiskInput input() const;

 private:
  LoopDevice(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  UniqueFd fd_;
};

/// Runs a shell command; its standard output, or nothing where it failed.
[[nodiscard]] std::optional<std::string> run(const std::string& command);

/// True where all programs can be run; else prints which one is missing, for a test to skip.
[[nodiscard]] bool have_programs(std::initializer_list<std::string_view> names);

}  // namespace pvhgrub::fs::test
