// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/boot_result.h"

#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "base/limits.h"

namespace pvhgrub::protocol {
namespace {

Result<void> check_values(const BootResult& result, ResultFormat format) {
  const std::string_view forbidden =
      format == ResultFormat::kSimple ? std::string_view("\0\n", 2) : std::string_view("\0", 1);
  const std::string_view ramdisk = result.ramdisk ? std::string_view(*result.ramdisk) : std::string_view();
  for (const std::string_view value :
       {std::string_view(result.kernel), ramdisk, std::string_view(result.arguments)}) {
    if (value.find_first_of(forbidden) != std::string_view::npos)
      return fail(
          ErrorCode::kDamaged,
          "the command line holds a line break or NUL, which the result format cannot carry; mend it in the "
          "guest's boot configuration");
  }
  if (result.arguments.size() > limits::kCommandLineBytes)
    return fail(ErrorCode::kLimit, "the command line has " + std::to_string(result.arguments.size()) +
                                       " bytes, and libxl would drop one of more than " +
                                       std::to_string(limits::kCommandLineBytes));
  return {};
}

std::string format_simple(const BootResult& result, char separator) {
  std::string text = "kernel " + result.kernel + separator;
  if (result.ramdisk) text += "ramdisk " + *result.ramdisk + separator;
  if (!result.arguments.empty()) text += "args " + result.arguments + separator;
  return text + separator;
}

// Python's repr() of a str, which readers of sxp expect: single quotes unless only those are inside;
// everything that is not printable ASCII as an escape.
std::string python_repr(std::string_view text) {
  const char quote =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char character : text) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(character);
    if (character == quote || character == '\\') {
      out += {'\\', character};
    } else if (character == '\n') {
      out += "\\n";
    } else if (character == '\r') {
      out += "\\r";
    } else if (character == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0x0FU]};
    } else {
      out += character;
    }
  }
  return out + quote;
}

std::string format_sxp(const BootResult& result) {
  std::string text = "linux (kernel " + python_repr(result.kernel) + ")";
  if (result.ramdisk) text += "(ramdisk " + python_repr(*result.ramdisk) + ")";
  if (!result.arguments.empty()) text += "(args " + python_repr(result.arguments) + ")";
  return text;
}

std::string format_json(const BootResult& result) {
  nlohmann::ordered_json object;
  object["kernel"] = to_valid_utf8(result.kernel);
  object["ramdisk"] = result.ramdisk ? nlohmann::ordered_json(to_valid_utf8(*result.ramdisk)) : nullptr;
  object["args"] = to_valid_utf8(result.arguments);
  return object.dump() + "\n";
}

}  // namespace

Result<ResultFormat> parse_result_format(std::string_view name) {
  if (name == "sxp") return ResultFormat::kSxp;
  if (name == "simple") return ResultFormat::kSimple;
  if (name == "simple0") return ResultFormat::kSimple0;
  if (name == "json") return ResultFormat::kJson;
  return fail(ErrorCode::kUsage,
              "unknown output format " + std::string(name) + "; it is one of sxp, simple, simple0, json");
}

Result<std::string> format_boot_result(const BootResult& result, ResultFormat format) {
  PVHGRUB_TRY(check_values(result, format));
  switch (format) {
    case ResultFormat::kSxp:
      return format_sxp(result);
    case ResultFormat::kSimple:
      return format_simple(result, '\n');
    case ResultFormat::kSimple0:
      return format_simple(result, '\0');
    case ResultFormat::kJson:
      return format_json(result);
  }
  return fail(ErrorCode::kInternal, "an output format without a writer");
}

}  // namespace pvhgrub::protocol
