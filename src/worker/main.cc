// SPDX-License-Identifier: LGPL-2.1-or-later
// pvhgrub-worker: the confined half of pvhgrub, and the only one that reads guest bytes. The broker starts
// it, one for each request; nobody runs it by hand.
//
// The order of main() is the security argument: the request (from the broker, which is trusted) is read
// first, then every power is given up, then the first guest byte is read.
#include <unistd.h>

#include "src/worker/worker_main.h"

int main(int argc, char** argv) {
  // _exit: destructors of static objects have nothing to do here that the kernel does not do better.
  _exit(pvhgrub::worker::worker_main(argc, argv, nullptr));
}
