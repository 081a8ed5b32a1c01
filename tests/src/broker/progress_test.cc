// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/progress.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

namespace pvhgrub::broker {

using limits::kMiB;

TEST_CASE("progress tells bytes, rate and the time that is left") {
  CHECK(progress_line(30 * kMiB, 90 * kMiB, 1000, 60) ==
        "Loading 30.0 MiB of 90.0 MiB, 30.0 MiB/s, 2 s left");
}

TEST_CASE("where there is room a bar shows it too") {
  const std::string line = progress_line(45 * kMiB, 90 * kMiB, 1000, 100);
  CHECK(line.find("[###############               ] 45.0 MiB") != std::string::npos);
}

TEST_CASE("a line is always shorter than the terminal is wide") {
  for (unsigned columns = 0; columns < 200; ++columns) {
    const std::string line = progress_line(kMiB, ~0ULL, 1, columns);
    CHECK((line.empty() || line.size() < columns));
  }
}

TEST_CASE("numbers at their ends do not trip it") {
  CHECK(progress_line(0, 0, 0, 80) == "Loading 0.0 MiB");
  CHECK(progress_line(~0ULL, 1, 1, 80).find("0 s left") != std::string::npos);
  CHECK(!progress_line(1, ~0ULL, ~0ULL, 80).empty());
}

}  // namespace pvhgrub::broker
