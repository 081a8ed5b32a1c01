// SPDX-License-Identifier: LGPL-2.1-or-later
// pvhgrub-worker-menu: pvhgrub-worker that can ask a person. A program of its own, so that whoever asks
// nobody loads none of what shows menus.
#include <unistd.h>

#include "src/worker/menu_person.h"
#include "src/worker/worker_main.h"

int main(int argc, char** argv) {
  _exit(pvhgrub::worker::worker_main(argc, argv, pvhgrub::worker::open_menu_terminal));
}
