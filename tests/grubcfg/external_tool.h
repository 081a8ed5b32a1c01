// SPDX-License-Identifier: LGPL-2.1-or-later
// Judges that we did not write: programs of the host.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace pvhgrub::test {

/// A file of its own with these lines, gone with the object.
class LinesFile {
 public:
  explicit LinesFile(const std::vector<std::string>& lines)
      : path_(std::filesystem::temp_directory_path() / ("pvhgrub-test-" + std::to_string(getpid()))) {
    std::ofstream stream(path_, std::ios::binary);
    for (const std::string& line : lines) stream << line << '\n';
  }
  LinesFile(const LinesFile&) = delete;
  LinesFile& operator=(const LinesFile&) = delete;
  ~LinesFile() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// The lines that a shell command prints; no value where it fails, as one does that is not installed.
inline std::optional<std::vector<std::string>> lines_of(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 4096> piece{};
  for (std::size_t count = 0; (count = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
    output.append(piece.data(), count);
  if (pclose(pipe) != 0) return std::nullopt;
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < output.size();) {
    const std::size_t end = std::min(output.find('\n', begin), output.size());
    lines.push_back(output.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace pvhgrub::test
