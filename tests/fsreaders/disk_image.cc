// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/fsreaders/disk_image.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/crc32.h"
#include "fsreaders/partition_gpt_header.h"

namespace pvhgrub::fs::test {
namespace {

template <typename T>
void put(std::span<std::byte> bytes, std::size_t offset, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes[offset + i] = static_cast<std::byte>((std::uint64_t{value} >> (8 * i)) & 0xFF);
}

std::uint64_t entries_sectors(const GptMaker& maker) {
  const std::uint64_t bytes = std::uint64_t{maker.entry_count} * maker.entry_size;
  return (bytes + maker.sector_size - 1) / maker.sector_size;
}

}  // namespace

Image::Image(std::uint64_t size) : fd_(memfd_create("disk image", MFD_CLOEXEC)), size_(size) {
  REQUIRE(fd_.valid());
  REQUIRE(ftruncate(fd_.get(), static_cast<off_t>(size)) == 0);
}

void Image::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  REQUIRE(offset + bytes.size() <= size_);
  REQUIRE(pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(bytes.size()));
}

void Image::fill(std::uint64_t offset, std::size_t count, std::byte value) {
  write(offset, std::vector<std::byte>(count, value));
}

std::byte Image::read(std::uint64_t offset) const {
  std::byte value{};
  REQUIRE(pread(fd_.get(), &value, 1, static_cast<off_t>(offset)) == 1);
  return value;
}

void Image::resize(std::uint64_t size) {
  REQUIRE(ftruncate(fd_.get(), static_cast<off_t>(size)) == 0);
  size_ = size;
}

std::string Image::path() const {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get());
}

DiskInput Image::input() const {
  return DiskInput{fd_.get(), size_, 0, false, 0, false};
}

void write_boot_record(Image& image, std::uint64_t offset, const std::vector<MsdosEntry>& entries,
                       std::uint32_t disk_signature, bool magic) {
  std::array<std::byte, 512> sector{};
  put(sector, 440, disk_signature);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t at = 446 + 16 * i;
    put(sector, at, entries[i].flag);
    put(sector, at + 4, entries[i].type);
    put(sector, at + 8, entries[i].start);
    put(sector, at + 12, entries[i].sectors);
  }
  if (magic) put(sector, 510, std::uint16_t{0xAA55});
  image.write(offset, sector);
}

std::vector<std::byte> GptMaker::entry_array() const {
  std::vector<std::byte> array(std::size_t{entry_count} * entry_size);
  for (std::size_t i = 0; i < entries.size() && (i + 1) * entry_size <= array.size(); ++i) {
    const auto entry = std::span(array).subspan(i * entry_size, entry_size);
    if (entries[i].type_byte == 0) continue;
    for (std::size_t j = 0; j < 16; ++j) entry[j] = std::byte{entries[i].type_byte};
    for (std::size_t j = 0; j < 16; ++j) entry[16 + j] = static_cast<std::byte>(16 * j + i);
    put(entry, 32, entries[i].first);
    put(entry, 40, entries[i].last);
    put(entry, 48, entries[i].attributes);
    for (std::size_t j = 0; j < entries[i].name.size() && j < 36; ++j)
      put(entry, 56 + 2 * j, std::uint16_t{static_cast<unsigned char>(entries[i].name[j])});
  }
  return array;
}

void GptMaker::write_header(Image& image, std::uint64_t sector, std::uint64_t alternate,
                            std::uint64_t entries_sector) const {
  const std::uint64_t last = image.size() / sector_size - 1;
  std::vector<std::byte> header(sector_size);
  const std::string_view signature("EFI PART");
  for (std::size_t i = 0; i < signature.size(); ++i) header[i] = static_cast<std::byte>(signature[i]);
  put(header, 8, std::uint32_t{0x0001'0000});
  put(header, 12, header_size);
  put(header, 24, sector);
  put(header, 32, alternate);
  put(header, 40, 2 + entries_sectors(*this));
  put(header, 48, last_usable.value_or(last - 1 - entries_sectors(*this)));
  for (std::size_t i = 0; i < 16; ++i) header[56 + i] = static_cast<std::byte>(i);
  put(header, 72, entries_sector);
  put(header, 80, entry_count);
  put(header, 84, entry_size);
  // Of what is there, so that a test can claim more entries than it writes.
  put(header, 88, crc32(entry_array()));
  if (header_size <= header.size()) put(header, 16, crc32(std::span(header).first(header_size)));
  image.write(sector * sector_size, header);
}

void GptMaker::write(Image& image) const {
  const std::uint64_t last = image.size() / sector_size - 1;
  const auto protective_sectors = static_cast<std::uint32_t>(std::min<std::uint64_t>(last, 0xFFFF'FFFF));
  write_boot_record(image, 0, {MsdosEntry{0xEE, protective_start, protective_sectors, 0}});
  const std::uint64_t backup_entries = last - entries_sectors(*this);
  image.write(2 * std::uint64_t{sector_size}, entry_array());
  image.write(backup_entries * sector_size, entry_array());
  write_header(image, 1, last, 2);
  write_header(image, last, 1, backup_entries);
}

std::optional<LoopDevice> LoopDevice::attach(const std::string& path, unsigned sector_size) {
  const UniqueFd backing(open(path.c_str(), O_RDWR | O_CLOEXEC));
  const UniqueFd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  for (int attempt = 0; backing.valid() && control.valid() && attempt < 16; ++attempt) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) break;
    const std::string device = "/dev/loop" + std::to_string(number);
    UniqueFd fd(open(device.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd.valid()) break;
    // Another process may take the same free one: then the next is asked for.
    if (ioctl(fd.get(), LOOP_SET_FD, backing.get()) != 0) continue;
    if (sector_size != 512 &&
        ioctl(fd.get(), LOOP_SET_BLOCK_SIZE, static_cast<unsigned long>(sector_size)) != 0) {
      static_cast<void>(ioctl(fd.get(), LOOP_CLR_FD, 0));
      break;
    }
    return LoopDevice(device, std::move(fd));
  }
  WARN("skipped: this process cannot have a loop device (it needs root and /dev/loop-control)");
  return std::nullopt;
}

LoopDevice::~LoopDevice() {
  if (fd_.valid()) static_cast<void>(ioctl(fd_.get(), LOOP_CLR_FD, 0));
}

DiskInput LoopDevice::input() const {
  std::uint64_t size = 0;
  int sector_size = 0;
  REQUIRE(ioctl(fd_.get(), BLKGETSIZE64, &size) == 0);
  REQUIRE(ioctl(fd_.get(), BLKSSZGET, &sector_size) == 0);
  return DiskInput{fd_.get(), size, static_cast<std::uint32_t>(sector_size), true, 0, false};
}

std::optional<std::string> run(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"), pclose);
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = fread(buffer.data(), 1, buffer.size(), pipe.get()))
    output.append(buffer.data(), count);
  if (pclose(pipe.release()) != 0) return std::nullopt;
  return output;
}

bool have_programs(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (run("PATH=$PATH:/usr/sbin:/sbin command -v " + std::string(name))) continue;
    WARN("skipped: the program " << name << " is missing");
    return false;
  }
  return true;
}

}  // namespace pvhgrub::fs::test
