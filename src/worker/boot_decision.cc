// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/boot_decision.h"

#include <utility>

#include "base/limits.h"

namespace pvhgrub::worker {
namespace {

using bootimage::ImageKind;
using bootimage::KernelImage;
using protocol::BootKind;
using protocol::BootRequest;
using protocol::GuestType;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::kNoEntry, std::move(message));
}

class Decider {
 public:
  Decider(const KernelImage& kernel, const BootFacts& facts) : kernel_(kernel), facts_(facts) {}

  Result<BootDecision> decide() const {
    switch (facts_.request) {
      case BootRequest::kFirmware:
        return firmware("--boot=firmware asks for it");
      case BootRequest::kShim:
        return shim();
      case BootRequest::kDirect:
      case BootRequest::kAuto:
        break;
    }
    if (needs_firmware() && facts_.request == BootRequest::kAuto)
      return firmware(kernel_.elf ? "the unified kernel image's kernel says nothing to Xen"
                                  : "it is an EFI program, which only firmware starts");
    switch (facts_.guest_type) {
      case GuestType::kPvh:
        return for_pvh();
      case GuestType::kPv:
        return for_pv();
      case GuestType::kArm:
        return for_arm();
      case GuestType::kUnknown:
        break;
    }
    return for_unknown();
  }

 private:
  [[nodiscard]] bool pvh() const { return kernel_.elf && kernel_.elf->support.pvh_entry; }
  [[nodiscard]] bool pv() const { return kernel_.elf && kernel_.elf->support.pv; }
  [[nodiscard]] bool is_arm_image() const {
    return kernel_.kind() == ImageKind::kArm64Image || kernel_.kind() == ImageKind::kArm32Image;
  }

  // A kernel that neither Xen's builder nor the shim starts, while firmware does: it is an EFI program first.
  [[nodiscard]] bool needs_firmware() const {
    if (pvh() || pv() || is_arm_image()) return false;
    return kernel_.kind() == ImageKind::kEfiProgram || (facts_.is_efi_entry && kernel_.elf);
  }

  [[nodiscard]] static BootDecision direct(std::string reason, std::string notice = {}) {
    return {BootKind::kDirect, false, std::move(reason), std::move(notice)};
  }

  [[nodiscard]] Result<BootDecision> firmware(std::string why) const {
    if (facts_.guest_type == GuestType::kPv) return refuse(no_firmware_for_pv(why));
    if (!facts_.has_firmware)
      return refuse("it boots by firmware only (" + why + "), and " + facts_.no_firmware);
    return BootDecision{BootKind::kFirmware, false, std::move(why), {}};
  }

  [[nodiscard]] std::string what_it_is() const { return kernel_.describe(); }

  // What is wrong with the kernel whatever the domain; empty where nothing is.
  [[nodiscard]] std::string other_problem() const {
    if (kernel_.elf) return {};
    if (is_arm_image()) return "it is a kernel for arm";
    return kernel_.problem.empty() ? "what it holds is not known" : kernel_.problem;
  }

  [[nodiscard]] std::unexpected<Error> no_start(const std::string& domain, const std::string& why,
                                                const std::string& ways) const {
    return refuse(what_it_is() + ": cannot start as " + domain + ": " + why + "; " + ways);
  }

  [[nodiscard]] Result<BootDecision> for_pvh() const {
    if (pvh()) return direct("its Xen note PHYS32_ENTRY lets a PVH guest start it");
    if (const std::string problem = other_problem(); !problem.empty())
      return no_start("a PVH guest", problem, "choose another entry with --entry");
    const std::string& why = kernel_.elf->support.no_pvh;
    if (pv())
      return no_start("a PVH guest", why,
                      "set type=\"pv\", or pvshim=1 with --boot=shim, or boot the guest's own loader with "
                      "OVMF for Xen (--boot=firmware)");
    return no_start("a PVH guest", why,
                    "install a kernel with CONFIG_PVH in the guest, or boot the guest's own loader with OVMF "
                    "for Xen (--boot=firmware)");
  }

  [[nodiscard]] Result<BootDecision> for_pv() const {
    if (pv()) return direct("its Xen notes let a PV guest start it");
    if (const std::string problem = other_problem(); !problem.empty())
      return no_start("a PV guest", problem, "choose another entry with --entry");
    return no_start("a PV guest", kernel_.elf->support.no_pv,
                    pvh() ? "set type=\"pvh\", as which it does start"
                          : "install a kernel with CONFIG_XEN_PV in the guest");
  }

  [[nodiscard]] Result<BootDecision> for_arm() const {
    if (is_arm_image()) return direct("it is an arm kernel, as Xen on arm starts it");
    const std::string why =
        kernel_.elf ? std::string("Xen on arm starts no ELF images")
                    : (kernel_.problem.empty() ? std::string("what it holds is not known") : kernel_.problem);
    return no_start("a guest on arm", why, "choose an entry with an Image or zImage, with --entry");
  }

  // What pygrub does with every kernel: the toolstack knows the domain's type, and will say what is wrong.
  [[nodiscard]] Result<BootDecision> for_unknown() const {
    if (pvh()) return direct("its Xen note PHYS32_ENTRY lets a PVH guest start it");
    if (is_arm_image()) return direct("it is an arm kernel, as Xen on arm starts it");
    if (pv())
      return direct("its Xen notes let a PV guest start it",
                    "the kernel starts in PV guests only (" + kernel_.elf->support.no_pvh +
                        "); the domain must have type=\"pv\", or pvshim=1");
    if (kernel_.elf)
      return no_start("a Xen guest",
                      kernel_.problem.empty() ? std::string("it says nothing to Xen") : kernel_.problem,
                      "install a kernel with CONFIG_PVH in the guest, or boot the guest's own loader with "
                      "OVMF for Xen (--boot=firmware)");
    return direct("the domain's type is not known, and neither is this kind of kernel",
                  "handed over as it is, although the toolstack will hardly start it: " + other_problem());
  }

  [[nodiscard]] Result<BootDecision> shim() const {
    if (facts_.guest_type == GuestType::kPv)
      return refuse("--boot=shim is for PVH domains, and this domain's type is pv, which needs no shim");
    if (facts_.guest_type == GuestType::kArm) return refuse("--boot=shim: there is no PV shim on arm");
    if (!pv()) {
      const std::string problem = other_problem();
      return no_start("a PV guest in the shim", problem.empty() ? kernel_.elf->support.no_pv : problem,
                      pvh() ? "it starts by itself in a PVH guest: leave --boot=shim out"
                            : "choose another entry with --entry");
    }
    if (facts_.command_line_bytes > limits::kShimCommandLineBytes)
      return fail(ErrorCode::kLimit,
                  "the command line has " + std::to_string(facts_.command_line_bytes) +
                      " bytes, and with the PV shim libxl ends by an assertion on more than " +
                      std::to_string(limits::kShimCommandLineBytes) + "; shorten it in the guest");
    if (!facts_.has_shim_file)
      return BootDecision{
          BootKind::kShim, false, "--boot=shim: the kernel is handed over for the shim",
          facts_.guest_type == GuestType::kUnknown ? "the domain must have pvshim=1 for this kernel" : ""};
    if (facts_.has_ramdisk)
      return refuse(
          "the entry has an initrd, and with --shim=PATH Xen's one module is the kernel itself; use pvshim=1 "
          "in the domain's configuration in place of --shim");
    return BootDecision{BootKind::kShim, true, "--boot=shim: the shim starts the kernel as its module", {}};
  }

  const KernelImage& kernel_;
  const BootFacts& facts_;
};

}  // namespace

Result<BootDecision> decide_boot(const KernelImage& kernel, const BootFacts& facts) {
  return Decider(kernel, facts).decide();
}

std::string no_firmware_for_pv(const std::string& why) {
  return "it boots by firmware only (" + why + "), and a PV domain has none; set type=\"pvh\"";
}

std::string shim_command_line(const std::string& kernel_command_line) {
  // As libxl has it for pvshim=1 (tools/libs/light/libxl_create.c).
  const std::string own = "pv-shim console=xen,pv";
  return kernel_command_line.empty() ? own : own + " -- " + kernel_command_line;
}

}  // namespace pvhgrub::worker
