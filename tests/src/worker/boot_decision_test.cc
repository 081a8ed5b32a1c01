// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/boot_decision.h"

#include <catch2/catch.hpp>

using namespace pvhgrub;
using namespace pvhgrub::worker;
using bootimage::ImageKind;
using bootimage::KernelImage;
using protocol::BootKind;
using protocol::BootRequest;
using protocol::GuestType;

namespace {

KernelImage elf(bool pvh, bool pv) {
  bootimage::XenElf xen;
  xen.image.header.type = 2;
  xen.image.header.machine = 62;
  if (pvh) xen.support.pvh_entry = 0x1000000U;
  xen.support.no_pvh = pvh ? "" : "it has no Xen note PHYS32_ENTRY";
  xen.support.pv = pv;
  xen.support.no_pv = pv ? "" : "it has no Xen notes for PV";
  return bootimage::elf_image(std::move(xen), 1000);
}

KernelImage of_kind(ImageKind kind, std::string name, std::string problem = "") {
  KernelImage image;
  image.layers.push_back({kind, std::move(name), {0, 100}});
  image.problem = std::move(problem);
  return image;
}

BootFacts facts_for(GuestType type, BootRequest request = BootRequest::kAuto) {
  BootFacts facts;
  facts.request = request;
  facts.guest_type = type;
  facts.no_firmware = "there is none";
  return facts;
}

void check_kind(const Result<BootDecision>& decision, BootKind kind) {
  REQUIRE(decision);
  CHECK(decision->kind == kind);
}

void check_refused(const Result<BootDecision>& decision, const std::string& part) {
  REQUIRE_FALSE(decision);
  CHECK(decision.error().code == ErrorCode::kNoEntry);
  CHECK_THAT(decision.error().message, Catch::Contains(part));
}

}  // namespace

TEST_CASE("a kernel with a PVH entry starts by itself in a PVH domain, and in one of unknown type") {
  for (const GuestType type : {GuestType::kPvh, GuestType::kUnknown})
    for (const BootRequest request : {BootRequest::kAuto, BootRequest::kDirect})
      check_kind(decide_boot(elf(true, false), facts_for(type, request)), BootKind::kDirect);
}

TEST_CASE(
    "a kernel for PV only is refused for a PVH domain with each way out, never put into the shim unasked") {
  BootFacts facts = facts_for(GuestType::kPvh);
  facts.has_shim_file = true;
  facts.has_firmware = true;
  const auto decision = decide_boot(elf(false, true), facts);
  check_refused(decision, "PHYS32_ENTRY");
  CHECK_THAT(decision.error().message, Catch::Contains("type=\"pv\""));
  CHECK_THAT(decision.error().message, Catch::Contains("--boot=shim"));
  CHECK_THAT(decision.error().message, Catch::Contains("--boot=firmware"));
}

TEST_CASE("a kernel for PV only is handed to a domain of unknown type with a notice") {
  const auto decision = decide_boot(elf(false, true), facts_for(GuestType::kUnknown));
  check_kind(decision, BootKind::kDirect);
  CHECK_THAT(decision->notice, Catch::Contains("type=\"pv\""));
}

TEST_CASE("a PV domain takes PV kernels, and is told of those that would start as PVH") {
  check_kind(decide_boot(elf(true, true), facts_for(GuestType::kPv)), BootKind::kDirect);
  check_refused(decide_boot(elf(true, false), facts_for(GuestType::kPv)), "type=\"pvh\"");
  check_refused(decide_boot(elf(false, false), facts_for(GuestType::kPv)), "CONFIG_XEN_PV");
}

TEST_CASE("a kernel that says nothing to Xen is refused whatever the domain's type") {
  for (const GuestType type : {GuestType::kPvh, GuestType::kPv, GuestType::kUnknown, GuestType::kArm}) {
    const auto decision = decide_boot(elf(false, false), facts_for(type));
    CHECK_FALSE(decision);
  }
}

TEST_CASE("a domain on arm takes Images and no ELF") {
  check_kind(decide_boot(of_kind(ImageKind::kArm64Image, "Image for arm64"), facts_for(GuestType::kArm)),
             BootKind::kDirect);
  check_refused(decide_boot(elf(true, true), facts_for(GuestType::kArm)), "ELF");
  check_refused(decide_boot(of_kind(ImageKind::kArm64Image, "Image for arm64"), facts_for(GuestType::kPvh)),
                "arm");
}

TEST_CASE("what is no known kernel is handed over as it is only where the domain's type is not known") {
  const KernelImage unknown =
      of_kind(ImageKind::kOther, "a file of unknown kind", "it is a file of unknown kind");
  const auto decision = decide_boot(unknown, facts_for(GuestType::kUnknown));
  check_kind(decision, BootKind::kDirect);
  CHECK_THAT(decision->notice, Catch::Contains("unknown kind"));
  check_refused(decide_boot(unknown, facts_for(GuestType::kPvh)), "unknown kind");
}

TEST_CASE("EFI programs, and unified images whose kernel says nothing to Xen, need firmware") {
  const KernelImage program = of_kind(ImageKind::kEfiProgram, "EFI program", "it needs firmware");
  BootFacts facts = facts_for(GuestType::kPvh);
  check_refused(decide_boot(program, facts), "there is none");
  facts.has_firmware = true;
  check_kind(decide_boot(program, facts), BootKind::kFirmware);
  facts.is_efi_entry = true;
  check_kind(decide_boot(elf(false, false), facts), BootKind::kFirmware);
  check_kind(decide_boot(elf(true, false), facts), BootKind::kDirect);
  facts.guest_type = GuestType::kPv;
  check_refused(decide_boot(program, facts), "type=\"pvh\"");
  facts.guest_type = GuestType::kPvh;
  facts.request = BootRequest::kDirect;
  check_refused(decide_boot(program, facts), "cannot start");
}

TEST_CASE("the shim is for PV kernels in PVH domains, and leaves no room for an initrd") {
  BootFacts facts = facts_for(GuestType::kPvh, BootRequest::kShim);
  facts.has_ramdisk = true;
  const auto by_toolstack = decide_boot(elf(false, true), facts);
  check_kind(by_toolstack, BootKind::kShim);
  CHECK_FALSE(by_toolstack->with_shim_file);
  facts.has_shim_file = true;
  check_refused(decide_boot(elf(false, true), facts), "pvshim=1");
  facts.has_ramdisk = false;
  const auto by_file = decide_boot(elf(false, true), facts);
  check_kind(by_file, BootKind::kShim);
  CHECK(by_file->with_shim_file);
  check_refused(decide_boot(elf(true, false), facts), "leave --boot=shim out");
  facts.guest_type = GuestType::kPv;
  check_refused(decide_boot(elf(false, true), facts), "type is pv");
  facts.guest_type = GuestType::kArm;
  check_refused(decide_boot(elf(false, true), facts), "arm");
}

TEST_CASE("a command line of 1023 bytes goes with the shim, and one more is a limit") {
  BootFacts facts = facts_for(GuestType::kPvh, BootRequest::kShim);
  facts.command_line_bytes = 1023;
  CHECK(decide_boot(elf(false, true), facts));
  facts.command_line_bytes = 1024;
  const auto refused = decide_boot(elf(false, true), facts);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimit);
}

TEST_CASE("the kernel's arguments follow the shim's own") {
  CHECK(shim_command_line("root=/dev/xvda1") == "pv-shim console=xen,pv -- root=/dev/xvda1");
  CHECK(shim_command_line("") == "pv-shim console=xen,pv");
}
