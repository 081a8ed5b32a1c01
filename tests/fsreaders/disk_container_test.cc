// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk_container.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/bytes.h"
#include "tests/fsreaders/memory_source.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

Result<void> check(const std::string& start, std::size_t size = 4096) {
  std::string text = start;
  text.resize(size);
  MemorySource source(std::vector(as_bytes(text).begin(), as_bytes(text).end()));
  return check_no_container(source);
}

void check_told(const std::string& start, const std::string& name, const std::string& remedy) {
  const auto refused = check(start);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnsupported);
  CHECK_THAT(refused.error().message, Catch::Contains(name));
  CHECK_THAT(refused.error().message, Catch::Contains(remedy));
}

}  // namespace

TEST_CASE("images that libxl attaches are told with the disk line that does it") {
  check_told(std::string("QFI\xfb\0\0\0\3", 8), "qcow2", "format=qcow2, vdev=xvda");
  check_told(std::string("QED\0", 4), "QED", "format=qed");
  check_told("conectix", "VHD", "format=vhd");
}

TEST_CASE("images that libxl does not attach are told with how to convert them") {
  check_told("vhdxfile", "VHDX", "qemu-img convert");
  check_told("KDMV\1", "VMDK", "qemu-img convert");
  check_told("# Disk DescriptorFile\nversion=1\n", "VMDK", "qemu-img convert");
  check_told("<<< Oracle VM VirtualBox Disk Image >>>\n" + std::string(24, '\0') + "\x7f\x10\xda\xbe", "VDI",
             "qemu-img convert");
}

TEST_CASE("compressed images are told with what decompresses them") {
  check_told("\x1f\x8b\x08", "gzip", "gzip -d");
  check_told(std::string("\xfd\x37zXZ\0", 6), "xz", "xz -d");
  check_told("\x28\xb5\x2f\xfd", "zstd", "zstd -d");
}

TEST_CASE("plain disks pass, however short") {
  CHECK(check(""));
  CHECK(check("\xeb\x63\x90"));
  CHECK(check("QFI", 3));
  CHECK(check("\x1f\x8b", 2));
}
