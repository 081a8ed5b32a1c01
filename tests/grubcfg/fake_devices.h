// SPDX-License-Identifier: LGPL-2.1-or-later
// Devices and file systems that live in memory, and a Diagnostics that remembers.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fsreaders/device_name.h"
#include "fsreaders/file_system.h"
#include "grubcfg/diagnostics.h"

namespace pvhgrub::test {

class MemoryFile : public fs::File {
 public:
  /// `place`: where it lies on disk 0; `obstacle`: why it cannot be overwritten there.
  explicit MemoryFile(std::string contents, std::uint64_t place = 0, std::string obstacle = {})
      : contents_(std::move(contents)), place_(place), obstacle_(std::move(obstacle)) {}
  [[nodiscard]] std::uint64_t size() const override { return contents_.size(); }
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= contents_.size()) return std::size_t{0};
    const std::size_t count = std::min(out.size(), contents_.size() - static_cast<std::size_t>(offset));
    std::memcpy(out.data(), contents_.data() + offset, count);
    return count;
  }
  [[nodiscard]] Result<void> send(fs::ContentSink& sink) override {
    return sink.bytes(std::as_bytes(std::span(contents_)));
  }
  [[nodiscard]] Result<std::vector<fs::DiskExtent>> overwritable_extents() override {
    if (!obstacle_.empty()) return fail(ErrorCode::kUnsupported, obstacle_);
    return std::vector{fs::DiskExtent{0, place_, contents_.size()}};
  }

 private:
  std::string contents_;
  std::uint64_t place_;
  std::string obstacle_;
};

class MemoryFileSystem : public fs::FileSystem {
 public:
  MemoryFileSystem(std::string uuid, std::string label) : uuid_(std::move(uuid)), label_(std::move(label)) {}

  MemoryFileSystem& add(const std::string& path, std::string contents = "x", std::int64_t time = 1000) {
    files_[path] = {std::move(contents), time, next_place(), {}};
    for (std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
         slash = path.rfind('/', slash - 1))
      directories_.insert(path.substr(0, slash));
    return *this;
  }
  MemoryFileSystem& add_link(const std::string& path) {
    links_.insert(path);
    return *this;
  }
  /// The file cannot be overwritten in place.
  MemoryFileSystem& fix(const std::string& path, std::string obstacle) {
    files_.at(path).obstacle = std::move(obstacle);
    return *this;
  }
  /// A second name of a file.
  MemoryFileSystem& add_alias(const std::string& path, const std::string& of) {
    files_[path] = files_.at(of);
    return *this;
  }
  /// Where a file lies on disk 0.
  [[nodiscard]] std::uint64_t place(const std::string& path) const { return files_.at(path).place; }
  void move_to(const std::string& path, std::uint64_t place) { files_.at(path).place = place; }
  /// Files that are not there open as empty ones: for configurations whose kernels nobody has.
  void open_anything() { open_anything_ = true; }
  void open_anything_but(std::string ending) {
    open_anything_ = true;
    missing_ending_ = std::move(ending);
  }
  void set_type(std::string type) { type_ = std::move(type); }
  /// As btrfs: the path of the subvolume that is mounted where none is named.
  void set_default_subvolume(std::string path) { default_subvolume_ = std::move(path); }
  [[nodiscard]] Result<fs::Subvolume> subvolume(std::optional<std::uint64_t> number) override {
    if (number == 300) return fs::Subvolume{300, "/three/hundred"};
    if (number || !default_subvolume_) return fail(ErrorCode::kNotFound, "no such subvolume");
    return fs::Subvolume{256, *default_subvolume_};
  }
  /// As real file systems do: a path with "//" is one with "/".
  void ignore_repeated_slashes() { ignores_repeated_slashes_ = true; }

  [[nodiscard]] std::string_view type_name() const override { return type_; }
  [[nodiscard]] std::string_view uuid() const override { return uuid_; }
  [[nodiscard]] std::string_view label() const override { return label_; }

  [[nodiscard]] Result<std::unique_ptr<fs::File>> open(std::string_view path) override {
    std::string name(path);
    for (std::size_t twice = name.find("//"); ignores_repeated_slashes_ && twice != std::string::npos;
         twice = name.find("//"))
      name.erase(twice, 1);
    const auto found = files_.find(name);
    if (found != files_.end())
      return std::make_unique<MemoryFile>(found->second.contents, found->second.place,
                                          found->second.obstacle);
    if (directories_.contains(name)) return fail(ErrorCode::kWrongType, "a directory");
    if (open_anything_ && (missing_ending_.empty() || !name.ends_with(missing_ending_)))
      return std::make_unique<MemoryFile>("");
    return fail(ErrorCode::kNotFound, "not found", std::string(path));
  }
  [[nodiscard]] Result<fs::FileInfo> stat(std::string_view path) override {
    const auto found = files_.find(std::string(path));
    if (found != files_.end())
      return fs::FileInfo{fs::FileType::kRegular, found->second.contents.size(), found->second.time};
    if (path == "/" || directories_.contains(std::string(path)))
      return fs::FileInfo{fs::FileType::kDirectory, 0, 0};
    return fail(ErrorCode::kNotFound, "not found", std::string(path));
  }
  [[nodiscard]] Result<std::vector<fs::DirectoryEntry>> list(std::string_view path) override {
    std::string directory(path);
    while (directory.ends_with('/')) directory.pop_back();
    if (!directory.empty() && !directories_.contains(directory))
      return fail(ErrorCode::kNotFound, "not found", std::string(path));
    std::vector<fs::DirectoryEntry> entries;
    const auto add_if_inside = [&](const std::string& name, fs::FileType type) {
      if (name.size() > directory.size() + 1 && name.starts_with(directory + "/") &&
          name.find('/', directory.size() + 1) == std::string::npos)
        entries.push_back({name.substr(directory.size() + 1), type});
    };
    for (const auto& [name, file] : files_) add_if_inside(name, fs::FileType::kRegular);
    for (const std::string& name : directories_) add_if_inside(name, fs::FileType::kDirectory);
    for (const std::string& name : links_) add_if_inside(name, fs::FileType::kSymlink);
    return entries;
  }

 private:
  struct Contents {
    std::string contents;
    std::int64_t time = 0;
    std::uint64_t place = 0;
    std::string obstacle;
  };
  std::string type_ = "ext2";
  /// Each file of a test lies in a MiB of its own.
  static std::uint64_t next_place() {
    static std::uint64_t last = 0;
    return last += std::uint64_t{1} << 20U;
  }
  std::string uuid_;
  std::string label_;
  std::map<std::string, Contents> files_;
  std::set<std::string> directories_;
  std::set<std::string> links_;
  bool open_anything_ = false;
  std::string missing_ending_;
  std::optional<std::string> default_subvolume_;
  bool ignores_repeated_slashes_ = false;
};

class MemorySource : public fs::BlockSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
      return fail(ErrorCode::kDamaged, "read past the end");
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }
  [[nodiscard]] Result<fs::DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override {
    return fs::DiskExtent{0, offset, std::min<std::uint64_t>(length, bytes_.size() - offset)};
  }

 private:
  std::string bytes_;
};

class MemoryDevices : public fs::Devices {
 public:
  MemoryFileSystem& add(const std::string& name, std::string uuid = {}, std::string label = {}) {
    add_without_file_system(name);
    return add_unlisted(name, std::move(uuid), std::move(label));
  }
  /// Reachable by name, but not among devices(): `search` does not see it.
  MemoryFileSystem& add_unlisted(const std::string& name, std::string uuid = {}, std::string label = {}) {
    return *file_systems_.emplace(name, std::make_shared<MemoryFileSystem>(std::move(uuid), std::move(label)))
                .first->second;
  }
  /// The file system that a file turns out to hold when `loopback` makes a disk of it; `partition` for one of
  /// the disk's ("gpt1"). The file itself is added by the caller.
  MemoryFileSystem& add_image(const std::string& device, const std::string& path,
                              const std::string& partition = {}, std::string label = {}) {
    auto made = std::make_shared<MemoryFileSystem>(std::string(), std::move(label));
    images_[{device, path}].emplace_back(partition, made);
    return *made;
  }
  /// Every other name is a device too, one on which every file can be opened.
  void open_any_device() { add_unlisted("").open_anything(); }
  void add_without_file_system(const std::string& name, ErrorCode why = ErrorCode::kUnsupported) {
    fs::Device device;
    device.name = name;
    device.partition_uuid = "part-" + name;
    devices_.push_back(device);
    failures_[name] = why;
  }

  /// The partition type of a device that was added.
  void set_type(const std::string& name, const std::string& type) {
    std::ranges::find(devices_, name, &fs::Device::name)->partition_type = type;
  }

  [[nodiscard]] const std::vector<fs::Device>& devices() const override { return devices_; }
  [[nodiscard]] fs::Device& device_named(const std::string& name) {
    return *std::ranges::find(devices_, name, &fs::Device::name);
  }
  [[nodiscard]] const fs::Device* device(std::string_view name) const override {
    for (const auto& [disk, device] : loopbacks_)
      if (fs::is_name_of_device(name, device->name)) return device.get();
    return fs::Devices::device(name);
  }
  [[nodiscard]] std::vector<const fs::Device*> partitions(std::string_view disk_name) const override {
    std::vector<const fs::Device*> found = fs::Devices::partitions(disk_name);
    for (const auto& [disk, device] : loopbacks_)
      if (disk == disk_name && device->name != disk) found.push_back(device.get());
    return found;
  }
  [[nodiscard]] Result<std::string> add_loopback(std::string_view name, std::string_view device,
                                                 std::string_view path) override {
    const std::pair<std::string, std::string> origin{device, path};
    std::string disk(name);
    while (fs::Devices::device(disk) != nullptr || (origins_.contains(disk) && origins_[disk] != origin))
      disk = "other_" + disk;
    if (!origins_.emplace(disk, origin).second) return disk;
    const auto add_device = [&](const std::string& full_name) {
      auto made = std::make_unique<fs::Device>();
      made->name = full_name;
      loopbacks_.emplace_back(disk, std::move(made));
    };
    add_device(disk);
    for (const auto& [partition, file_system] : images_[origin]) {
      const std::string full_name = partition.empty() ? disk : disk + "," + partition;
      if (!partition.empty()) add_device(full_name);
      file_systems_[full_name] = file_system;
    }
    return disk;
  }
  [[nodiscard]] Result<fs::FileSystem*> file_system(std::string_view device_name) override {
    const auto found = file_systems_.find(std::string(device_name));
    if (found != file_systems_.end()) return found->second.get();
    const auto failure = failures_.find(std::string(device_name));
    if (failure != failures_.end()) return fail(failure->second, "no file system", std::string(device_name));
    if (const auto any = file_systems_.find(""); any != file_systems_.end()) return any->second.get();
    return fail(ErrorCode::kNotFound, "no such device", std::string(device_name));
  }
  [[nodiscard]] fs::BlockSource* source(std::string_view device_name) override {
    const auto found = contents_.find(std::string(device_name));
    if (found != contents_.end()) return found->second.get();
    return file_systems_.contains(std::string(device_name)) ? &zeros_ : nullptr;
  }
  void set_partition_type(const std::string& name, std::string type) {
    for (fs::Device& device : devices_)
      if (device.name == name) device.partition_type = type;
  }
  /// What a device holds, byte for byte, apart from its file system; zeros where nobody says.
  void set_contents(const std::string& name, std::string bytes) {
    contents_[name] = std::make_unique<MemorySource>(std::move(bytes));
  }

 private:
  std::map<std::string, std::unique_ptr<MemorySource>> contents_;
  MemorySource zeros_{std::string(4096, '\0')};
  std::vector<fs::Device> devices_;
  std::map<std::string, std::shared_ptr<MemoryFileSystem>> file_systems_;
  std::map<std::pair<std::string, std::string>,
           std::vector<std::pair<std::string, std::shared_ptr<MemoryFileSystem>>>>
      images_;  ///< by device and path: partition and file system
  std::map<std::string, std::pair<std::string, std::string>> origins_;          ///< of each loopback disk
  std::vector<std::pair<std::string, std::unique_ptr<fs::Device>>> loopbacks_;  ///< disk and device of it
  std::map<std::string, ErrorCode> failures_;
};

class RecordedDiagnostics : public grubcfg::Diagnostics {
 public:
  void notice(std::string where, std::string message) override { notices.push_back(where + ": " + message); }
  void explain(std::string text) override { explanations.push_back(std::move(text)); }
  [[nodiscard]] Result<void> echo(std::string_view text) override {
    output += text;
    return {};
  }
  [[nodiscard]] bool has_notice(std::string_view part) const { return has(notices, part); }
  [[nodiscard]] bool has_explanation(std::string_view part) const { return has(explanations, part); }

  std::vector<std::string> notices;
  std::vector<std::string> explanations;
  std::string output;

 private:
  static bool has(const std::vector<std::string>& texts, std::string_view part) {
    return std::ranges::any_of(texts,
                               [&](const std::string& text) { return text.find(part) != std::string::npos; });
  }
};

}  // namespace pvhgrub::test
