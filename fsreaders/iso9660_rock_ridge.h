// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/iso9660_volume.h"

namespace pvhgrub::fs {

/// What a directory record's system use field says (IEEE P1281, SUSP 1.12; IEEE P1282, RRIP 1.12).
struct RockRidge {
  std::optional<std::uint8_t> skip;    ///< SP: bytes in front of other records' system use entries
  bool has_extension = false;          ///< ER: an extension is in use, which is Rock Ridge
  std::optional<std::uint32_t> mode;   ///< PX: st_mode
  std::optional<std::string> name;     ///< NM
  bool is_dot = false;                 ///< NM: the directory itself, or its parent
  std::string link;                    ///< SL: a symbolic link's target; empty where there is none
  std::optional<std::uint32_t> child;  ///< CL: the logical block of the directory that belongs here
  bool relocated = false;              ///< RE: a directory that belongs elsewhere, by a CL
  bool zisofs = false;                 ///< ZF: the contents are compressed
};

/// Reads the entries of a system use field, and of where CE leads. kDamaged: the areas that CE leads to come
/// to no end, or a name or target is too long to be one.
[[nodiscard]] Result<RockRidge> read_rock_ridge(Iso9660Volume& volume, Bytes system_use);

}  // namespace pvhgrub::fs
