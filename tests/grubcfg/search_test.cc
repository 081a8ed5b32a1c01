// SPDX-License-Identifier: LGPL-2.1-or-later
#include <catch2/catch.hpp>

#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

struct Run {
  std::string output;
  RecordedDiagnostics diagnostics;
};

void run(Run& result, const std::string& script, GrubSettings settings = {}) {
  MemoryDevices devices;
  devices.add_without_file_system("hd0");
  devices.add("hd0,gpt1", "AAAA-BBBB", "ESP").add("/EFI/debian/grub.cfg");
  devices.add("hd0,gpt2", "1111-22ab", "boot")
      .add("/grub/grub.cfg")
      .add("/grub/marker")
      .add("/f", "abc", 500)
      .add_link("/l");
  devices.add("hd1,msdos1", "3333", "boot").add("/grub/marker").add("/g", "", 400);
  devices.add_without_file_system("hd1,msdos2", ErrorCode::kDamaged);
  Budget budget = Budget::standard();
  REQUIRE(evaluate_script(script, "s", &devices, settings, budget, result.diagnostics).has_value());
  result.output = result.diagnostics.output;
}

std::string output_of(const std::string& script, GrubSettings settings = {}) {
  Run result;
  run(result, script, std::move(settings));
  return result.output;
}

}  // namespace

TEST_CASE("search finds a file system by UUID without regard to case") {
  CHECK(output_of("search --no-floppy --fs-uuid --set=root 1111-22AB; echo $? $root\n") == "0 hd0,gpt2\n");
  CHECK(output_of("search.fs_uuid 1111-22AB root hd0,gpt2; echo $? $root\n") == "0 hd0,gpt2\n");
  CHECK(output_of("search -u aaaa-bbbb -s x; echo $x\n") == "hd0,gpt1\n");
}

TEST_CASE("search takes the first device in order, a hint before it") {
  CHECK(output_of("search --label boot --set x; echo $x\n") == "hd0,gpt2\n");
  CHECK(output_of("search --label --set=x --hint hd1,msdos1 boot; echo $x\n") == "hd1,msdos1\n");
  CHECK(output_of("search --file --set=x --hint='hd1,' /grub/marker; echo $x\n") == "hd1,msdos1\n");
  CHECK(output_of("search.file /grub/marker x nosuch hd1,; echo $x\n") == "hd1,msdos1\n");
}

TEST_CASE("search goes through a disk's partitions from the last, through those of a hint from the first") {
  MemoryDevices devices;
  devices.add_without_file_system("hd0");
  devices.add("hd0,gpt1", "A", "one").add("/f");
  devices.add("hd0,gpt2", "B", "two").add("/f").add("/boot/grub/grub.cfg");
  devices.add("hd0,gpt3", "C", "three").add("/f");
  devices.add_without_file_system("hd1");
  devices.add("hd1,msdos1", "D", "four").add("/f");
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  REQUIRE(evaluate_script("search.file /f x hd0,; echo $x\nsearch -f /f; echo\necho (hd*)/f (hd0,*)/f\n", "s",
                          &devices, {}, budget, diagnostics));
  CHECK(diagnostics.output ==
        "hd0,gpt1\n hd0,gpt1 hd0,gpt3 hd0,gpt2 hd0,gpt1 hd1,msdos1\n"
        "(hd0,gpt3)/f (hd0,gpt2)/f (hd0,gpt1)/f (hd1,msdos1)/f (hd0,gpt3)/f (hd0,gpt2)/f (hd0,gpt1)/f\n");
}

TEST_CASE("Hints count on their platform only") {
  const std::string script = "search --label --set=x --hint-efi=hd1,msdos1 --hint-new=hd1 boot; echo $x\n";
  CHECK(output_of(script) == "hd0,gpt2\n");
  GrubSettings efi;
  efi.platform = "efi";
  CHECK(output_of(script, efi) == "hd1,msdos1\n");
}

TEST_CASE("What was found once is looked at first again") {
  CHECK(output_of("search --label --set=x boot; search --label --set=x --hint hd1,msdos1 boot; echo $x\n") ==
        "hd0,gpt2\n");
}

TEST_CASE("search without a variable prints all devices") {
  CHECK(output_of("search --label boot; echo\n") == " hd0,gpt2 hd1,msdos1\n");
}

TEST_CASE("search that finds nothing says so and fails") {
  Run result;
  run(result, "search --fs-uuid --set=root nosuch; echo $? $root\n");
  CHECK(result.output == "5 hd0,gpt2\n");
  CHECK(result.diagnostics.has_notice("error: no such device: nosuch."));
  CHECK(result.diagnostics.has_explanation("search --fs-uuid nosuch: not found"));
}

TEST_CASE("search is told in the explanation") {
  Run result;
  run(result, "search --fs-uuid --set=root 3333\n");
  CHECK(result.diagnostics.has_explanation("search --fs-uuid 3333: hd1,msdos1"));
}

TEST_CASE("search with wrong arguments fails as in GRUB") {
  CHECK(output_of("search; echo $?\nsearch x; echo $?\nsearch --label; echo $?\nsearch.file; echo $?\n") ==
        "18\n17\n18\n18\n");
}

TEST_CASE("probe tells what a device is") {
  CHECK(output_of("probe --set x --fs-uuid (hd0,gpt2); echo $x\n") == "1111-22ab\n");
  CHECK(output_of("probe -s x -u hd0,2; echo $x\n") == "1111-22ab\n");
  CHECK(output_of("probe --label --set=x ($root); echo $x\n") == "boot\n");
  CHECK(output_of("probe --fs $root; echo\n") == "ext2\n");
  CHECK(output_of("probe --partmap --set=x hd1,msdos1; echo $x\n") == "msdos\n");
  CHECK(output_of("probe --part-uuid --set=x hd1,msdos1; echo $x\n") == "part-hd1,msdos1\n");
  CHECK(output_of("probe --fs nosuch; echo $?\nprobe; echo $?\nprobe hd0,gpt1; echo $?\n") == "12\n18\n18\n");
}

TEST_CASE("probe looks at the options in GRUB's order") {
  CHECK(output_of("probe --set=x -l -u hd0,2; echo $x\n") == "1111-22ab\n");
}

TEST_CASE("A file opens with slashes behind its name, and without a '(' no device is in a name") {
  CHECK(output_of("if [ -s (hd1,msdos1)/g/ ]; then echo y; fi\n") ==
        output_of("if [ -s (hd1,msdos1)/g ]; then echo y; fi\n"));
  CHECK(output_of("root=hd1,msdos1; if [ -s x)/g ]; then echo y; fi; if [ -e x)/g ]; then echo e; fi\n") ==
        "e\n");
}

TEST_CASE("test looks at files as GRUB does, which sees a link itself") {
  const std::string script =
      "function t { if [ \"$@\" ]; then echo -n y; else echo -n n; fi; }\n"
      "t -f /f; t -e /f; t -d /f; t -s /f; t -f /l; t -d /l; t -d /grub; t -f /grub; t -d /grub/; t -e "
      "/nosuch\n"
      "t -f (hd1,msdos1)/g; t -s (hd1,msdos1)/g; t -e (nosuch)/x; t -d /; t -e ''; t -e (hd0,gpt1)\n"
      "t /f -nt (hd1,msdos1)/g; t /f -ot (hd1,msdos1)/g; t (hd1,msdos1)/g -nt200 /f; t /f -nt /nosuch; t "
      "/nosuch -ot /f\n";
  CHECK(output_of(script) == "yynyynynynynnyyyynyyy");
}

TEST_CASE("Volumes are devices by GRUB's names") {
  MemoryDevices devices;
  devices.add_without_file_system("hd0");
  devices.add_without_file_system("hd0,gpt1");
  devices.add("md/0,gpt1", "3333", "data").add("/f", "abc");
  devices.add("lvm/my--vg-ro--ot", "1111-22AB", "root").add("/boot/grub/grub.cfg").add("/f", "abc");
  const auto told = [&](const std::string& script) {
    RecordedDiagnostics diagnostics;
    Budget budget = Budget::standard();
    REQUIRE(evaluate_script(script, "s", &devices, {}, budget, diagnostics).has_value());
    return diagnostics.output;
  };
  CHECK(told("insmod lvm\ninsmod mdraid1x\ninsmod diskfilter\nset root='lvm/my--vg-ro--ot'\n"
             "if [ -f /f ]; then echo $root $?; fi\n") == "lvm/my--vg-ro--ot 0\n");
  CHECK(told("search --no-floppy --fs-uuid --set=root --hint='lvmid/none/none' 1111-22ab; echo $? $root\n") ==
        "0 lvm/my--vg-ro--ot\n");
  CHECK(told("search --label data --set=x --hint=md/0; echo $x\n") == "md/0,gpt1\n");
  CHECK(told("search --file /f --set=x --hint='md/0,'; echo $x\n") == "md/0,gpt1\n");
  CHECK(told("probe --driver --set=x lvm/my--vg-ro--ot; probe -d -s y md/0,1; probe -d -s z hd0\necho $x $y "
             "$z\n") == "diskfilter diskfilter xen\n");
  CHECK(told("probe --partmap lvm/my--vg-ro--ot; probe --partmap md/0,gpt1\n") == "nonegpt");
  CHECK(told("if [ -s (lvm/my--vg-ro--ot)/f ]; then echo yes; fi\n") == "yes\n");
}
