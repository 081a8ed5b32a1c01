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

// Only libxl's own keys before the others, since it reads them in order and warns of each that it does not
// know. A value that would end its item early is escaped.
std::string format_simple0_extended(const BootResult& result) {
  std::string text = format_simple(result, '\0');
  text.pop_back();
  const auto item = [&text](std::string_view key, const std::string& value) {
    if (!value.empty()) text += std::string(key) + " " + escape_for_terminal(value, value.size() * 4) + '\0';
  };
  if (const auto& details = result.details) {
    item("entry-id", details->entry_id);
    item("entry-title", details->entry_title);
    item("boot", details->boot);
    item("firmware", details->firmware);
    item("shim", details->shim);
    item("kernel-version", details->kernel_version);
    for (const BootModule& module : details->modules) {
      item("module", module.path);
      item("module-size", std::to_string(module.size));
      item("module-sha256", module.sha256);
    }
  }
  return text + '\0';
}

nlohmann::ordered_json json_modules(const BootDetails& details) {
  nlohmann::ordered_json modules = nlohmann::ordered_json::array();
  for (const BootModule& module : details.modules) {
    nlohmann::ordered_json object;
    object["path"] = to_valid_utf8(module.path);
    object["size"] = module.size;
    if (!module.sha256.empty()) object["sha256"] = module.sha256;
    modules.push_back(std::move(object));
  }
  return modules;
}

void add_details(nlohmann::ordered_json& object, const BootDetails& details) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(to_valid_utf8(text));
  };
  object["entry"] = {{"id", text_or_null(details.entry_id)}, {"title", text_or_null(details.entry_title)}};
  object["boot"] = details.boot;
  object["reason"] = to_valid_utf8(details.reason);
  object["firmware"] = text_or_null(details.firmware);
  object["shim"] = text_or_null(details.shim);
  object["kernel-version"] = text_or_null(details.kernel_version);
  object["kernel-description"] = text_or_null(details.kernel_description);
  object["modules"] = json_modules(details);
}

std::string format_json(const BootResult& result) {
  nlohmann::ordered_json object;
  object["kernel"] = to_valid_utf8(result.kernel);
  object["ramdisk"] = result.ramdisk ? nlohmann::ordered_json(to_valid_utf8(*result.ramdisk)) : nullptr;
  object["args"] = to_valid_utf8(result.arguments);
  if (result.details) add_details(object, *result.details);
  return object.dump() + "\n";
}

}  // namespace

Result<ResultFormat> parse_result_format(std::string_view name) {
  if (name == "sxp") return ResultFormat::kSxp;
  if (name == "simple") return ResultFormat::kSimple;
  if (name == "simple0") return ResultFormat::kSimple0;
  if (name == "simple0-extended") return ResultFormat::kSimple0Extended;
  if (name == "json") return ResultFormat::kJson;
  return fail(ErrorCode::kUsage, "unknown output format " + std::string(name) +
                                     "; it is one of sxp, simple, simple0, simple0-extended, json");
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
    case ResultFormat::kSimple0Extended:
      return format_simple0_extended(result);
    case ResultFormat::kJson:
      return format_json(result);
  }
  return fail(ErrorCode::kInternal, "an output format without a writer");
}

}  // namespace pvhgrub::protocol
