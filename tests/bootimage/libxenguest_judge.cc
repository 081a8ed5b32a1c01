// SPDX-License-Identifier: LGPL-2.1-or-later
// Asks Xen's own domain builder whether it would start images: libxenguest parses them as for a new domain,
// but without a hypervisor. One line for each: "PATH accepted|refused GUEST_TYPE LOADER".
//   libxenguest_judge pvh|pv FILE...
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

// They do not say so themselves. What they include is included above.
extern "C" {
#include <xenctrl.h>
#include <xenguest.h>
#include <xentoollog.h>
}

namespace {

// What a hypervisor for x86-64 says that it can start (xc_version's XENVER_capabilities).
constexpr char kCapabilities[] =
    "xen-3.0-x86_64 xen-3.0-x86_32p hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";

const char* name_of(const xc_dom_loader* loader) {
  // The structure is private; its first member is its name (tools/libs/guest/xg_private.h).
  const char* name = "-";
  if (loader != nullptr) std::memcpy(&name, loader, sizeof(name));
  return name;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  xentoollog_logger_stdiostream* log = xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
  auto* const logger = reinterpret_cast<xentoollog_logger*>(log);
  xc_interface* const handle = xc_interface_open(logger, logger, XC_OPENFLAG_DUMMY);
  if (handle == nullptr) return 1;
  for (int i = 2; i < count; ++i) {
    xc_dom_image* const domain = xc_dom_allocate(handle, "", nullptr);
    if (domain == nullptr) return 1;
    const bool is_pvh = std::string_view(arguments[1]) == "pvh";
    domain->container_type = is_pvh ? xc_dom_image::XC_DOM_HVM_CONTAINER : xc_dom_image::XC_DOM_PV_CONTAINER;
    std::memcpy(domain->xen_caps, kCapabilities, sizeof(kCapabilities));
    const bool accepted = xc_dom_kernel_file(domain, arguments[i]) == 0 && xc_dom_parse_image(domain) == 0;
    printf("%s %s %s %s\n", arguments[i], accepted ? "accepted" : "refused",
           domain->guest_type != nullptr ? domain->guest_type : "-", name_of(domain->kernel_loader));
    (void)fflush(stdout);
    xc_dom_release(domain);
  }
  xc_interface_close(handle);
  return 0;
}
