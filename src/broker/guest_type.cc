// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/guest_type.h"

#include <charconv>
#include <cstdlib>
#include <memory>

#ifdef PVHGRUB_XENSTORE
// Written for C alone.
extern "C" {
#include <xenstore.h>
}
#endif

namespace pvhgrub::broker {

std::optional<unsigned> domain_of_output_directory(std::string_view path) {
  constexpr std::string_view kPrefix = "bootloader.";
  constexpr std::string_view kEnding = ".d";
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string_view name = path.substr(path.rfind('/') + 1);  // all of it where there is no '/'
  if (!name.starts_with(kPrefix) || !name.ends_with(kEnding) ||
      name.size() <= kPrefix.size() + kEnding.size())
    return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kEnding.size());
  unsigned domain = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), domain);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return domain;
}

#ifdef PVHGRUB_XENSTORE

namespace {

struct Closer {
  void operator()(xs_handle* handle) const { xs_close(handle); }
};
struct Releaser {
  void operator()(void* memory) const { std::free(memory); }  // NOLINT(cppcoreguidelines-no-malloc): theirs
};

std::string read_store(const std::string& path) {
  const std::unique_ptr<xs_handle, Closer> store(xs_open(0));
  if (!store) return {};
  unsigned length = 0;
  const std::unique_ptr<void, Releaser> value(xs_read(store.get(), XBT_NULL, path.c_str(), &length));
  return value ? std::string(static_cast<const char*>(value.get()), length) : std::string();
}

}  // namespace

std::string domain_name_from_xenstore(unsigned domain) {
  return read_store("/local/domain/" + std::to_string(domain) + "/name");
}

protocol::GuestType guest_type_from_xenstore(unsigned domain) {
  const std::string type = read_store("/libxl/" + std::to_string(domain) + "/type");
#if defined(__aarch64__) || defined(__arm__)
  return type == "pvh" ? protocol::GuestType::kArm : protocol::GuestType::kUnknown;
#else
  if (type == "pvh") return protocol::GuestType::kPvh;
  return type == "pv" ? protocol::GuestType::kPv : protocol::GuestType::kUnknown;
#endif
}

#else

std::string domain_name_from_xenstore(unsigned) {
  return {};
}

protocol::GuestType guest_type_from_xenstore(unsigned) {
  return protocol::GuestType::kUnknown;
}

#endif

}  // namespace pvhgrub::broker
