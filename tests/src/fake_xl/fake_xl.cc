// SPDX-License-Identifier: LGPL-2.1-or-later
// Stands in for xl in tests: called as `xl create [-c] GUEST.CFG` it starts the bootloader whose command line
// is in FAKE_XL_COMMAND (one argument a line) and, FAKE_XL_CONSOLE_AFTER milliseconds later, a child called
// xenconsole that opens a pty, as xl does for -c. Ends with the bootloader's status.
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

std::vector<std::string> split_lines(std::string text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  lines.push_back(text.substr(begin));
  return lines;
}

[[noreturn]] void become(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

[[noreturn]] void console_client(useconds_t after_microseconds) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "xenconsole");
  usleep(after_microseconds);
  int master = -1;
  int slave = -1;
  openpty(&master, &slave, nullptr, nullptr, nullptr);
  for (;;) pause();
}

}  // namespace

int main() {
  const char* command = std::getenv("FAKE_XL_COMMAND");
  const char* after = std::getenv("FAKE_XL_CONSOLE_AFTER");
  if (command == nullptr) return 2;
  const pid_t bootloader = fork();
  if (bootloader == 0) become(split_lines(command));
  if (after != nullptr && fork() == 0) console_client(static_cast<useconds_t>(std::atol(after)) * 1000);
  int status = 0;
  waitpid(bootloader, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
