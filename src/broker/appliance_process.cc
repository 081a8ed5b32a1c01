// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/appliance_process.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/appliance_limits.h"
#include "protocol/appliance_start.h"
#include "protocol/descriptors.h"
#include "src/broker/output_files.h"
#include "src/broker/version.h"

namespace pvhgrub::broker {
namespace {

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<SocketPair> make_socket_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot make a channel to the appliance");
  return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A program with more privileges than its caller takes nothing from that one's environment.
std::vector<std::string> handed_on_environment() {
  std::vector<std::string> variables;
  for (const char* const name : protocol::kApplianceVariables)
    if (const char* const value = secure_getenv(name); value != nullptr)
      variables.push_back(std::string(name) + "=" + value);
  return variables;
}

}  // namespace

Result<std::string> find_appliance() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::vector<std::filesystem::path> places;
  if (!error) places.push_back(self.parent_path() / "pvhgrub-appliance");
  places.push_back(std::filesystem::path(kLibexecDirectory) / "pvhgrub-appliance");
  for (const std::filesystem::path& place : places)
    if (access(place.c_str(), X_OK) == 0) return place.string();
  return fail(ErrorCode::kUnsupported, "pvhgrub-appliance is neither beside this program nor in " +
                                           std::string(kLibexecDirectory) +
                                           "; install it, or build with libguestfs (-Dappliance=enabled)");
}

Result<ApplianceProcess> ApplianceProcess::start(const std::string& path, std::optional<uid_t> run_as,
                                                 const std::vector<ApplianceDisk>& disks, Console& console) {
  PVHGRUB_TRY_ASSIGN(SocketPair control, make_socket_pair());
  PVHGRUB_TRY_ASSIGN(SocketPair questions, make_socket_pair());
  protocol::ApplianceStart start{.disk_sizes = {}, .environment = handed_on_environment()};
  // Without namespaces nothing would hide the host from it, so Landlock alone is never enough here.
  sandbox::SpawnRequest spawn{.worker_path = path,
                              .fds = {},
                              .run_as = run_as,
                              .allow_landlock_only = false,
                              .name = "pvhgrub-appliance",
                              .apart = true};
  spawn.fds.push_back({control.theirs.get(), protocol::kApplianceControlDescriptor});
  spawn.fds.push_back({questions.theirs.get(), protocol::kApplianceQuestionsDescriptor});
  for (const ApplianceDisk& disk : disks) {
    const int number = protocol::kApplianceFirstDiskDescriptor + static_cast<int>(start.disk_sizes.size());
    spawn.fds.push_back({disk.fd, number});
    start.disk_sizes.push_back(disk.size);
  }
  auto spawned = sandbox::spawn_worker(spawn);
  if (!spawned) return std::unexpected(at("the appliance", std::move(spawned).error()));
  ApplianceProcess process(std::move(*spawned), console);
  const protocol::PayloadWriter payload = start.encode();
  protocol::PayloadWriter length;
  length.put_u32(static_cast<std::uint32_t>(payload.payload().size()));
  const std::string message =
      std::string(as_text(length.payload())) + std::string(as_text(payload.payload()));
  PVHGRUB_TRY(write_all(control.ours.get(), message, "the channel to the appliance"));
  process.control_ = std::move(control.ours);
  process.workers_end_ = std::move(questions.ours);
  return process;
}

void ApplianceProcess::read_progress() {
  std::array<char, 4096> piece{};
  const ssize_t count = recv(control_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // An end is told by the worker, whose question stays without an answer.
  if (count > 0) said_ += static_cast<std::size_t>(count);
  if (count <= 0 || said_ > limits::kApplianceProgressBytes) {
    if (!line_.empty()) console_->notice("the appliance", line_);
    line_.clear();
    control_.reset();
    return;
  }
  line_.append(piece.data(), static_cast<std::size_t>(count));
  for (std::size_t end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
    console_->notice("the appliance", line_.substr(0, end));
    line_.erase(0, end + 1);
  }
}

}  // namespace pvhgrub::broker
