// SPDX-License-Identifier: LGPL-2.1-or-later
// The real appliance for a test program that has no broker.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "fsreaders/appliance_file_system.h"
#include "src/broker/appliance_process.h"

namespace pvhgrub::fs {

class ApplianceReader {
 public:
  /// Starts the program that the environment variable PVHGRUB_APPLIANCE names.
  [[nodiscard]] static Result<std::unique_ptr<ApplianceReader>> start(
      const std::vector<broker::ApplianceDisk>& disks);
  ApplianceReader() = default;
  ApplianceReader(const ApplianceReader&) = delete;
  ApplianceReader& operator=(const ApplianceReader&) = delete;
  virtual ~ApplianceReader() = default;
  /// Lives as long as the reader.
  [[nodiscard]] virtual Appliance& appliance() = 0;
};

}  // namespace pvhgrub::fs
