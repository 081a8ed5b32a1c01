// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/appliance/nbd_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <thread>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::appliance {
namespace {

// Names and values: NBD's proto.md, "Values".
constexpr std::uint64_t kMagic = 0x4e42444d41474943;        // "NBDMAGIC"
constexpr std::uint64_t kOptionMagic = 0x49484156454F5054;  // "IHAVEOPT"
constexpr std::uint64_t kOptionReplyMagic = 0x3e889045565a9;
constexpr std::uint32_t kRequestMagic = 0x25609513;
constexpr std::uint32_t kReplyMagic = 0x67446698;
constexpr std::uint16_t kFlagFixedNewstyle = 1;
constexpr std::uint16_t kFlagNoZeroes = 2;
constexpr std::uint16_t kTransmissionFlags = 1 | 2;  // NBD_FLAG_HAS_FLAGS, NBD_FLAG_READ_ONLY
constexpr std::uint32_t kOptionExportName = 1;
constexpr std::uint32_t kOptionAbort = 2;
constexpr std::uint32_t kOptionInfo = 6;
constexpr std::uint32_t kOptionGo = 7;
constexpr std::uint32_t kReplyAck = 1;
constexpr std::uint32_t kReplyInfo = 3;
constexpr std::uint32_t kReplyUnsupported = 0x80000001;
constexpr std::uint16_t kInfoExport = 0;
constexpr std::uint16_t kCommandRead = 0;
constexpr std::uint16_t kCommandDisconnect = 2;
constexpr std::uint32_t kErrorPermission = 1;  // NBD_EPERM
constexpr std::uint32_t kErrorIo = 5;          // NBD_EIO
constexpr std::uint32_t kErrorInvalid = 22;    // NBD_EINVAL

constexpr std::size_t kOptionBytes = 8 * limits::kKiB;   // a name has at most 4 KiB
constexpr std::uint32_t kReadBytes = 32 * limits::kMiB;  // what QEMU asks for at most

using Message = std::vector<std::byte>;

template <typename Number>
void put(Message& message, Number value) {
  for (unsigned i = sizeof(Number); i-- > 0;)
    message.push_back(static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xFFU));
}

// One connection. Every function is false at its end, by whomever.
class Connection {
 public:
  Connection(UniqueFd socket, ServedDisk disk) : socket_(std::move(socket)), disk_(disk) {}

  void serve() {
    if (!shake_hands()) return;
    while (answer_request()) continue;
  }

 private:
  bool receive(std::span<std::byte> out) {
    while (!out.empty()) {
      const ssize_t count = read(socket_.get(), out.data(), out.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      out = out.subspan(static_cast<std::size_t>(count));
    }
    return true;
  }

  bool send_all(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return true;
  }

  template <typename Number>
  bool get(Number& value) {
    std::array<std::byte, sizeof(Number)> bytes{};
    if (!receive(bytes)) return false;
    std::uint64_t all = 0;
    for (const std::byte byte : bytes) all = (all << 8) | std::to_integer<std::uint64_t>(byte);
    value = static_cast<Number>(all);
    return true;
  }

  bool reply_to_option(std::uint32_t option, std::uint32_t type, const Message& payload) {
    Message message;
    put(message, kOptionReplyMagic);
    put(message, option);
    put(message, type);
    put(message, static_cast<std::uint32_t>(payload.size()));
    message.insert(message.end(), payload.begin(), payload.end());
    return send_all(message);
  }

  bool shake_hands() {
    Message hello;
    put(hello, kMagic);
    put(hello, kOptionMagic);
    put(hello, static_cast<std::uint16_t>(kFlagFixedNewstyle | kFlagNoZeroes));
    std::uint32_t client_flags = 0;
    if (!send_all(hello) || !get(client_flags)) return false;
    for (;;) {
      std::uint64_t magic = 0;
      std::uint32_t option = 0;
      std::uint32_t length = 0;
      if (!get(magic) || magic != kOptionMagic || !get(option) || !get(length) || length > kOptionBytes)
        return false;
      Message data(length);
      if (!receive(data)) return false;
      Message size_and_flags;
      put(size_and_flags, disk_.size);
      put(size_and_flags, kTransmissionFlags);
      if (option == kOptionExportName) {
        if ((client_flags & kFlagNoZeroes) == 0) size_and_flags.resize(size_and_flags.size() + 124);
        return send_all(size_and_flags);
      }
      if (option == kOptionAbort) {
        (void)reply_to_option(option, kReplyAck, {});
        return false;
      }
      if (option != kOptionGo && option != kOptionInfo) {
        if (!reply_to_option(option, kReplyUnsupported, {})) return false;
        continue;
      }
      Message information;
      put(information, kInfoExport);
      information.insert(information.end(), size_and_flags.begin(), size_and_flags.end());
      if (!reply_to_option(option, kReplyInfo, information) || !reply_to_option(option, kReplyAck, {}))
        return false;
      if (option == kOptionGo) return true;
    }
  }

  bool answer_request() {
    std::uint32_t magic = 0;
    std::uint16_t flags = 0;
    std::uint16_t type = 0;
    std::uint64_t cookie = 0;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    if (!get(magic) || magic != kRequestMagic || !get(flags) || !get(type) || !get(cookie) || !get(offset) ||
        !get(length))
      return false;
    if (type == kCommandDisconnect) return false;
    std::uint32_t error = 0;
    if (type != kCommandRead)
      // All others write or are not offered. A write's data would follow, so this is the end.
      error = kErrorPermission;
    else if (length > kReadBytes || !range_inside<std::uint64_t>(offset, length, disk_.size))
      error = kErrorInvalid;
    else if (!read_disk(offset, length))
      error = kErrorIo;
    Message header;
    put(header, kReplyMagic);
    put(header, error);
    put(header, cookie);
    if (!send_all(header)) return false;
    return error == 0 ? send_all(Bytes(data_).first(length)) : type == kCommandRead;
  }

  bool read_disk(std::uint64_t offset, std::uint32_t length) {
    if (data_.size() < length) data_.resize(length);
    for (std::size_t done = 0; done < length;) {
      const ssize_t count =
          pread(disk_.fd, data_.data() + done, length - done, static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      done += static_cast<std::size_t>(count);
    }
    return true;
  }

  UniqueFd socket_;
  ServedDisk disk_;
  Message data_;
};

// libguestfs and QEMU connect more than once, but not at the same time for long: qemu-img looks first.
void serve_disk(const UniqueFd& listener, ServedDisk disk) {
  for (;;) {
    UniqueFd socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.valid() && errno != EINTR && errno != ECONNABORTED) _exit(1);
    if (!socket.valid()) continue;
    std::thread([connection = std::make_shared<Connection>(std::move(socket), disk)] {
      connection->serve();
    }).detach();
  }
}

}  // namespace

Result<UniqueFd> listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return fail(ErrorCode::kInternal, "a socket's path is too long");
  std::ranges::copy(path, address.sun_path);
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener.valid()) return fail_errno("cannot make a socket");
  // The interface of bind(2) is a cast.
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return fail_errno("cannot make a socket", path);
  if (listen(listener.get(), 8) != 0) return fail_errno("cannot listen", path);
  return listener;
}

void serve_disks(std::vector<UniqueFd> listeners, std::vector<ServedDisk> disks) {
  std::vector<std::thread> threads;
  threads.reserve(listeners.size());
  for (std::size_t i = 0; i < listeners.size(); ++i)
    threads.emplace_back([&listener = listeners[i], disk = disks[i]] { serve_disk(listener, disk); });
  for (std::thread& thread : threads) thread.join();
  _exit(1);
}

}  // namespace pvhgrub::appliance
