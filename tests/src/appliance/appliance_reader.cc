// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/src/appliance/appliance_reader.h"

#include <cstdlib>

#include "src/worker/appliance_client.h"

namespace pvhgrub::fs {
namespace {

class Reader final : public ApplianceReader {
 public:
  Reader(std::unique_ptr<broker::Console> console, broker::ApplianceProcess process)
      : console_(std::move(console)), process_(std::move(process)), socket_(process_.workers_end()) {}
  [[nodiscard]] Appliance& appliance() override { return client_; }

 private:
  std::unique_ptr<broker::Console> console_;
  broker::ApplianceProcess process_;
  worker::ApplianceSocket socket_;
  worker::ApplianceClient client_{socket_};
};

}  // namespace

Result<std::unique_ptr<ApplianceReader>> ApplianceReader::start(
    const std::vector<broker::ApplianceDisk>& disks) {
  const char* const path = std::getenv("PVHGRUB_APPLIANCE");
  if (path == nullptr) return fail(ErrorCode::kUsage, "PVHGRUB_APPLIANCE is not set");
  auto console = std::make_unique<broker::Console>(broker::Verbosity::kNormal, false);
  PVHGRUB_TRY_ASSIGN(broker::ApplianceProcess process,
                     broker::ApplianceProcess::start(path, std::nullopt, disks, *console));
  return std::make_unique<Reader>(std::move(console), std::move(process));
}

}  // namespace pvhgrub::fs
