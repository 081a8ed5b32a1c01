// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/console_wait.h"

#include "tests/src/broker/temporary_directory.h"

using namespace pvhgrub;
using namespace pvhgrub::broker;

namespace {

std::string words(std::initializer_list<std::string> arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += argument + '\0';
  return text;
}

// A process in a made-up procfs.
void add_process(const TemporaryDirectory& proc, const std::string& pid, const std::string& name,
                 const std::string& parent,
                 std::initializer_list<std::pair<std::string, std::string>> descriptors) {
  proc.write(pid + "/stat", pid + " (" + name + ") S " + parent + " 1 1 0");
  proc.write(pid + "/comm", name + "\n");
  std::filesystem::create_directories(proc.path() + "/" + pid + "/fd");
  for (const auto& [number, target] : descriptors)
    std::filesystem::create_symlink(target, proc.path() + "/" + pid + "/fd/" + number);
}

}  // namespace

TEST_CASE("only an xl that creates with -c has a console to wait for") {
  CHECK(is_create_with_console(words({"xl", "create", "-c", "guest.cfg"})));
  CHECK(is_create_with_console(words({"/usr/sbin/xl", "-v", "create", "guest.cfg", "-qc"})));
  CHECK_FALSE(is_create_with_console(words({"xl", "create", "guest.cfg"})));
  CHECK_FALSE(is_create_with_console(words({"xl", "create", "-q", "--cc", "guest-c.cfg"})));
  CHECK_FALSE(is_create_with_console(words({"xl", "create", "-fguest-c.cfg"})));
  CHECK_FALSE(is_create_with_console(words({"xl", "-c", "list"})));
  CHECK_FALSE(is_create_with_console(words({"/usr/sbin/libvirtd", "create", "-c"})));
  CHECK_FALSE(is_create_with_console(""));
}

TEST_CASE(
    "the console is open when a child xenconsole of that xl has a pty beside its first three descriptors") {
  const TemporaryDirectory proc;
  add_process(proc, "10", "xenconsole", "5", {{"0", "/dev/pts/1"}, {"3", "/dev/pts/7"}});
  add_process(proc, "11", "xenconsole", "6", {{"0", "/dev/pts/1"}, {"3", "socket:[1]"}});
  add_process(proc, "12", "a) S 8 (xenconsole", "8", {{"3", "/dev/pts/7"}});
  add_process(proc, "13", "bash", "9", {{"3", "/dev/pts/7"}});
  proc.write("uptime", "1");
  CHECK(console_is_open(proc.path(), 5));
  CHECK_FALSE(console_is_open(proc.path(), 6));
  CHECK_FALSE(console_is_open(proc.path(), 8));
  CHECK_FALSE(console_is_open(proc.path(), 9));
  CHECK_FALSE(console_is_open(proc.path(), 10));
}
