// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fsreaders/structure_fields.h"

namespace pvhgrub::fs {

using LittleEndianFields = StructureFields<std::endian::little>;

}  // namespace pvhgrub::fs
