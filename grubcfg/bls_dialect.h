// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

#include "grubcfg/bls_entry.h"
#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

struct BlsDialectFinding {
  BlsDialect dialect = BlsDialect::kRedHat;
  std::string_view reason;  ///< what it was told by, for --explain
};

/// Whose `blscfg` this call of `blscfg` or `bls_import` is, from what can be seen of the guest's GRUB.
[[nodiscard]] Result<BlsDialectFinding> find_bls_dialect(Evaluator& evaluator, const CommandCall& call);

}  // namespace pvhgrub::grubcfg
