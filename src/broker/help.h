// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace pvhgrub::broker {

/// What --help prints.
extern const char* const kHelp;

}  // namespace pvhgrub::broker
