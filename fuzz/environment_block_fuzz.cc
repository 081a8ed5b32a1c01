// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises environment blocks: the worker's reading and changing of them, and the broker's idea of what one
// is, which must be the same as the worker's. In production: load_env and save_env in the confined worker,
// and src/broker/environment_writer.cc outside of it. Input: a line "NAME VALUE\n" to save, then the block.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/budget.h"
#include "base/limits.h"
#include "grubcfg/grubenv.h"
#include "protocol/environment_block.h"

using namespace pvhgrub;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(data, data + size);
  const std::size_t line_end = input.find('\n');
  const std::size_t blank = input.find(' ');
  if (line_end == std::string::npos || blank > line_end) return 0;
  const std::string name = input.substr(0, blank);
  const std::string value = input.substr(blank + 1, line_end - blank - 1);
  const std::string bytes = input.substr(line_end + 1);

  const bool accepted = protocol::is_environment_block(bytes);
  auto block = grubcfg::EnvironmentBlock::parse(bytes);
  if (accepted != (block && block->is_well_formed())) std::abort();
  if (!block) return 0;
  Budget budget = Budget::standard();
  (void)block->variables(budget);
  const bool changed = block->set(name, value);
  if (block->bytes().size() != bytes.size() || (!changed && block->bytes() != bytes)) std::abort();
  if (block->is_well_formed() != protocol::is_environment_block(block->bytes())) std::abort();
  block->remove(name);
  if (block->bytes().size() != bytes.size()) std::abort();
  return 0;
}
