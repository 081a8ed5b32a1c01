// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands that look into files and texts. Their answers are those of grub-emu 2.06, but for cmp, which
// answers as 2.12.
#include <catch2/catch.hpp>

#include "base/limits.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;
using namespace pvhgrub::grubcfg;
using pvhgrub::test::MemoryDevices;
using pvhgrub::test::RecordedDiagnostics;

namespace {

std::string output_of(const std::string& script, RecordedDiagnostics& diagnostics) {
  MemoryDevices devices;
  std::string zeros(300, '\0');
  devices.add("hd0")
      .add("/abc", "abc")
      .add("/abd", "abd")
      .add("/abcd", "abcd")
      .add("/empty", "")
      .add("/big", std::string(200'000, 'x') + "y")
      .add("/big2", std::string(200'000, 'x') + "z")
      .add("/zeros", zeros + "end")
      .add("/bin", std::string("\0\1\2\377\200abc\n", 9))
      .add("/list", "900150983cd24fb0d6963f7d28e17f72  abc\n4911e516e5aa21d327512e0c8b197616  abd\n")
      .add("/bad", "900150983cd24fb0d6963f7d28e17f72  abc\n00000000000000000000000000000000  abd\n")
      .add("/missing", "900150983cd24fb0d6963f7d28e17f72  nosuch\n")
      .add("/garbage", "garbage\n")
      .add("/star", "900150983cd24fb0d6963f7d28e17f72 *abc\n")
      .add("/upper", "  900150983CD24FB0D6963F7D28E17F72  abc")
      .add("/blank", "\n")
      .add("/crlf", "900150983cd24fb0d6963f7d28e17f72  abc\r\n")
      .add("/gz", "\x1f\x8bzzz");
  devices.set_contents("hd0", std::string(512, 'D'));
  Budget budget = Budget::standard();
  REQUIRE(evaluate_script(script, "s", &devices, {}, budget, diagnostics).has_value());
  return diagnostics.output;
}

std::string output_of(const std::string& script) {
  RecordedDiagnostics diagnostics;
  return output_of(script, diagnostics);
}

}  // namespace

TEST_CASE("cmp compares sizes, then bytes") {
  CHECK(
      output_of("cmp /abc /abc; echo $?; cmp /abc /abd; echo $?; cmp /abc /abcd; echo $?; cmp /empty /empty; "
                "echo $?; cmp /big /big2; echo $?; cmp /big /big; echo $?\n") == "0\n1\n1\n0\n1\n0\n");
  CHECK(
      output_of("cmp; echo $?; cmp /abc; echo $?; cmp /nosuch /abc; echo $?; cmp -x /abc /abc; echo $?\n") ==
      "18\n18\n1\n18\n");
  CHECK(output_of("cmp -v /big /big2\ncmp -v /abc /abcd\ncmp -v /abc /abc\n") ==
        "Compare file `/big' with `/big2':\nFiles differ at the offset 200000\n"
        "Compare file `/abc' with `/abcd':\nFiles differ in size: 3 [/abc], 4 [/abcd]\n"
        "Compare file `/abc' with `/abc':\nThe files are identical.\n");
}

TEST_CASE("hash sums are those of the standards") {
  CHECK(output_of("md5sum /abc; sha1sum /abc /empty; crc /abc; echo $?\n") ==
        "900150983cd24fb0d6963f7d28e17f72  /abc\n"
        "a9993e364706816aba3e25717850c26c9cd0d89d  /abc\nda39a3ee5e6b4b0d3255bfef95601890afd80709  /empty\n"
        "352441c2  /abc\n0\n");
  CHECK(output_of("sha256sum /abc\nsha512sum /abc\n") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  /abc\n"
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f  /abc\n");
  CHECK(output_of("for h in md4 RIPEMD160 sha224 sha384; do hashsum --hash $h /abc; done\n") ==
        "a448017aaf21d8525fc10ae87aa6729d  /abc\n8eb208f7e05d987a9b044a8e98c6b087f15a0bfc  /abc\n"
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7  /abc\n"
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7  "
        "/abc\n");
  CHECK(output_of("md5sum /big\n") == "3db663bc3c9206f8e3f26d836a726222  /big\n");
}

TEST_CASE("hashsum with wrong arguments fails as in GRUB") {
  CHECK(output_of(
            "md5sum; echo $?\nhashsum /abc; echo $?\nhashsum -h nosuch /abc; echo $?\n"
            "hashsum -h tiger /abc; echo $?\nmd5sum /nosuch /abc; echo $?\nmd5sum -k /nosuch /abc; echo $?\n"
            "sha1sum --hash=md5 /abc\nmd5sum -u /gz; echo $?\nmd5sum -c /list /abc; echo $?\n") ==
        "0\n18\n18\n24\n5\n900150983cd24fb0d6963f7d28e17f72  /abc\n1\n"
        "900150983cd24fb0d6963f7d28e17f72  /abc\n24\n18\n");
}

TEST_CASE("Lists of hashes are checked as GRUB checks them") {
  CHECK(output_of("md5sum -c /list -p (hd0); echo $?\nmd5sum -c /list; echo $?\n") ==
        "abc: OK\nabd: OK\n0\n7\n");
  CHECK(output_of("md5sum --check /bad --prefix=(hd0); echo $?\nmd5sum -k -c /bad -p (hd0); echo $?\n") ==
        "abc: OK\nabd: HASH MISMATCH\n1\nabc: OK\nabd: HASH MISMATCH\n1\n");
  CHECK(output_of(
            "for f in missing garbage star upper blank crlf; do md5sum -k -p (hd0) -c /$f; echo $?; done\n"
            "md5sum -c /nosuch; echo $?\n") == "5\n4\n4\nabc: OK\n0\n4\nabc: OK\n0\n5\n");
}

TEST_CASE("hexdump prints lines of sixteen bytes") {
  CHECK(output_of("hexdump /bin; echo $?\n") ==
        "00000000  00 01 02 ff 80 61 62 63  0a                       |.....abc.|\n0\n");
  CHECK(output_of("hexdump -s 1 -n 2 /abcd\nhexdump --skip=0x2 /abcd\n") ==
        "00000001  62 63                                             |bc|\n"
        "00000002  63 64                                             |cd|\n");
  CHECK(output_of("hexdump -n 0 /zeros\n") ==
        "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n"
        "00000110  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "00000120  00 00 00 00 00 00 00 00  00 00 00 00 65 6e 64     |............end|\n");
  CHECK(output_of("hexdump -n 16 (hd0); hexdump -s 600 (hd0)\n") ==
        "00000000  44 44 44 44 44 44 44 44  44 44 44 44 44 44 44 44  |DDDDDDDDDDDDDDDD|\n");
  CHECK(output_of("hexdump; echo $?\nhexdump -n x /abc; echo $?\nhexdump /nosuch; echo $?\n"
                  "hexdump -s 9 /abc; echo $?\nhexdump (mem); echo $?\nhexdump (hd9); echo $?\n") ==
        "18\n18\n0\n0\n0\n0\n");
}

TEST_CASE("tr translates characters, into a variable where one is named") {
  CHECK(output_of("tr abc xyz aabbcc\ntr -U 'a bZ'; tr -D ABC; tr -s v -U hi; echo $v; tr -s v i o; echo $v\n"
                  "v=HeL; tr --set=v -D; echo $v\ntr -U -D xY\n") == "xxyyzz\nA BZ\nabc\nHI\nHI\nhel\nxy\n");
  CHECK(output_of("tr; echo $?\ntr a; echo $?\ntr a b c d; echo $?\ntr abc xy hello; echo $?\n"
                  "tr -s nosuch a b; echo $?\n") == "18\n18\n18\n18\n18\n");
}

TEST_CASE("time runs the command behind it") {
  CHECK(output_of(
            "time echo hi; time time time echo ho; time false; echo $?\ntime; echo $?\ntime nosuch; echo $?\n"
            "function f { echo f; }\ntime f; echo $?\n") == "hi\nho\n1\n18\n16\n16\n");
}

TEST_CASE("file answers questions about a file, one at a time") {
  CHECK(output_of("file --is-x86-linux /abc; echo $?\nfile /abc; echo $?\nfile --is-x86-linux; echo $?\n"
                  "file --nosuch /abc; echo $?\nfile --is-x86-linux --is-arm-linux /abc; echo $?\n"
                  "file --is-x86-linux /nosuch; echo $?\nfile --is-i386-xnu /abc; echo $?\n"
                  "file --is-x86-multiboot /gz; echo $?\n") == "1\n18\n18\n18\n18\n5\n24\n24\n");
}

TEST_CASE("Commands for GRUB's developers ask for a file that is there") {
  CHECK(output_of(
            "testload /abc; echo $?\ntestload /nosuch; echo $?\ntestload; echo $?\nblocklist /abc; echo $?\n"
            "testspeed -s 10 /abc; echo $?\nhello; echo $?\n") == "0\n5\n18\n0\n0\nHello World\n0\n");
}

TEST_CASE("Commands for hardware and networks answer that there is none") {
  CHECK(output_of(
            "for c in cmostest keystatus rdmsr smbios; do if $c --set x; then echo yes; else echo no; fi; "
            "done\n"
            "if cpuid -l; then echo 64; fi\ncpuid -x; echo $?\nnet_bootp; echo $?\nnet_ls_cards; echo $?\n"
            "read_byte 0; echo $?\nparttool hd0,1 hidden-; echo $?\nhwmatch /x 1; echo $match\n") ==
        "no\nno\nno\nno\n64\n18\n36\n0\n24\n24\n0\n");
}

TEST_CASE("Nobody is asked for a password, and no signature is believed") {
  CHECK(output_of("authenticate; echo $?\nset superusers=root\nauthenticate me; echo $?\n"
                  "verify_detached /abc /abc.sig; echo $?\nverify_detached; echo $?\n") == "0\n30\n45\n18\n");
}

TEST_CASE("A whole disk hashed again and again is stopped") {
  MemoryDevices devices;
  devices.add("hd0").add("/big", std::string(1 << 20, 'x'));
  Budget budget(1'000'000, 64 * limits::kMiB);
  RecordedDiagnostics diagnostics;
  const auto status =
      evaluate_script("while true; do md5sum /big; done\n", "s", &devices, {}, budget, diagnostics);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kLimit);
}
