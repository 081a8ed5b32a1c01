// SPDX-License-Identifier: LGPL-2.1-or-later
// pvhgrub: the half that toolstacks start. It opens files, starts the confined worker, and writes the result;
// it parses no byte of the guest's.
#include "src/broker/program.h"

int main(int argc, char** argv) {
  return static_cast<int>(pvhgrub::broker::run_program(argc, argv));
}
