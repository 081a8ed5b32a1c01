// SPDX-License-Identifier: LGPL-2.1-or-later
// PE images among the guest's files.
#pragma once

#include <string>

#include "base/budget.h"
#include "base/result.h"
#include "bootimage/pe.h"
#include "fsreaders/file_system.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// The headers of an open file; reads no more of it than they take. Errors as bootimage::read_pe_headers(),
/// and those of reading.
[[nodiscard]] Result<bootimage::PeImage> read_pe_file(fs::File& file, Budget& budget);

/// What a section has in the file.
[[nodiscard]] FilePart section_part(const bootimage::PeSection& section);

/// The contents of a part up to its first NUL, at most limits::kUnifiedTextBytes of them; kDamaged where the
/// part is larger.
[[nodiscard]] Result<std::string> read_text_part(fs::File& file, const FilePart& part, Budget& budget);

}  // namespace pvhgrub::grubcfg
