// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/xen_notes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

namespace pvhgrub::bootimage {
namespace {

enum class Form : std::uint8_t {
  kText,
  kNumber,  // of 4 or 8 bytes; libxenguest also takes 1 and 2
  kWords,   // any count of 4 bytes each
};

struct TypeInfo {
  std::string_view name;
  std::string_view guest_section_name;  // in __xen_guest; empty where it has no such
  Form form;
};

// In the order of their types.
constexpr std::array kTypes = {
    TypeInfo{"INFO", "", Form::kText},
    TypeInfo{"ENTRY", "VIRT_ENTRY", Form::kNumber},
    TypeInfo{"HYPERCALL_PAGE", "HYPERCALL_PAGE", Form::kNumber},
    TypeInfo{"VIRT_BASE", "VIRT_BASE", Form::kNumber},
    TypeInfo{"PADDR_OFFSET", "ELF_PADDR_OFFSET", Form::kNumber},
    TypeInfo{"XEN_VERSION", "XEN_VER", Form::kText},
    TypeInfo{"GUEST_OS", "GUEST_OS", Form::kText},
    TypeInfo{"GUEST_VERSION", "GUEST_VER", Form::kText},
    TypeInfo{"LOADER", "LOADER", Form::kText},
    TypeInfo{"PAE_MODE", "PAE", Form::kText},
    TypeInfo{"FEATURES", "FEATURES", Form::kText},
    TypeInfo{"BSD_SYMTAB", "BSD_SYMTAB", Form::kText},
    TypeInfo{"HV_START_LOW", "", Form::kNumber},
    TypeInfo{"L1_MFN_VALID", "", Form::kWords},
    TypeInfo{"SUSPEND_CANCEL", "", Form::kNumber},
    TypeInfo{"INIT_P2M", "", Form::kNumber},
    TypeInfo{"MOD_START_PFN", "", Form::kNumber},
    TypeInfo{"SUPPORTED_FEATURES", "", Form::kWords},
    TypeInfo{"PHYS32_ENTRY", "", Form::kNumber},
    TypeInfo{"PHYS32_RELOC", "", Form::kWords},
};

// Of notes by the name "Linux" (include/linux/build-salt.h).
constexpr std::uint32_t kLinuxBuildSalt = 0x100;
// libxenguest reads no more of a text (ELF_MAX_STRING_LENGTH).
constexpr std::size_t kTextBytes = 4096;

const TypeInfo& info(XenNoteType type) {
  return kTypes.at(static_cast<std::size_t>(type));
}

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return "0x" + std::string(digits.data(), result.ptr);
}

// Up to a NUL: FEATURES has none at its end in Linux.
std::string text_of(Bytes description) {
  const std::string_view text = as_text(description);
  return std::string(text.substr(0, std::min(text.find('\0'), kTextBytes)));
}

Result<std::uint64_t> read_number(Bytes description) {
  ByteReader reader(description);
  switch (description.size()) {
    case 1: {
      PVHGRUB_TRY_ASSIGN(const auto number, reader.little_endian<std::uint8_t>());
      return number;
    }
    case 2: {
      PVHGRUB_TRY_ASSIGN(const auto number, reader.little_endian<std::uint16_t>());
      return number;
    }
    case 4: {
      PVHGRUB_TRY_ASSIGN(const auto number, reader.little_endian<std::uint32_t>());
      return number;
    }
    case 8:
      return reader.little_endian<std::uint64_t>();
    default:
      return fail(ErrorCode::kDamaged,
                  "has " + std::to_string(description.size()) + " bytes, where a number was expected");
  }
}

Result<std::vector<std::uint64_t>> read_words(Bytes description) {
  if (description.size() % 4 != 0)
    return fail(ErrorCode::kDamaged,
                "has " + std::to_string(description.size()) + " bytes, where words of 4 were expected");
  std::vector<std::uint64_t> words;
  for (ByteReader reader(description); reader.remaining() != 0;) {
    PVHGRUB_TRY_ASSIGN(const auto word, reader.little_endian<std::uint32_t>());
    words.push_back(word);
  }
  return words;
}

Result<XenNote> read_note(XenNoteType type, const ElfNote& elf_note) {
  const Bytes description = elf_note.description;
  const Form form = info(type).form;
  if (elf_note.is_cut && form != Form::kText) return fail(ErrorCode::kDamaged, "is cut off");
  XenNote note{type, {}, {}};
  switch (form) {
    case Form::kText:
      note.text = text_of(description);
      break;
    case Form::kNumber: {
      PVHGRUB_TRY_ASSIGN(const std::uint64_t number, read_number(description));
      note.numbers.push_back(number);
      break;
    }
    case Form::kWords: {
      PVHGRUB_TRY_ASSIGN(note.numbers, read_words(description));
      break;
    }
  }
  return note;
}

// A number as C writes it, but not in octal, which no kernel used.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (is_hexadecimal) text.remove_prefix(2);
  std::uint64_t number = 0;
  const auto result =
      std::from_chars(text.data(), text.data() + text.size(), number, is_hexadecimal ? 16 : 10);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return number;
}

// What Xen knows by name; a kernel that requires another one is refused (libelf-dominfo.c,
// elf_xen_feature_names).
constexpr std::array<std::string_view, 7> kKnownFeatures = {"writable_page_tables",
                                                            "writable_descriptor_tables",
                                                            "auto_translated_physmap",
                                                            "supervisor_mode_kernel",
                                                            "pae_pgdir_above_4gb",
                                                            "hvm_callback_vector",
                                                            "dom0"};

// Why the features that one text requires ("!NAME|NAME") keep the kernel from starting as a guest; empty:
// they do not.
std::string unmet_features(std::string_view features) {
  for (const auto part : std::views::split(features, '|')) {
    const std::string_view feature(part.begin(), part.end());
    if (!feature.starts_with('!')) continue;
    const std::string_view name = feature.substr(1);
    if (name == "dom0") return "it runs as Xen's dom0 only";
    if (std::ranges::find(kKnownFeatures, name) == kKnownFeatures.end())
      return "it requires the feature " + std::string(name) + ", which Xen does not know";
  }
  return {};
}

// Over all such notes: what one of them requires no other one takes back.
std::string unmet_features(const XenNotes& notes) {
  std::string why;
  for (const XenNote& note : notes.notes)
    if (why.empty() && note.type == XenNoteType::kFeatures) why = unmet_features(note.text);
  return why;
}

std::string range_text(std::uint64_t start, std::uint64_t end) {
  return hexadecimal(start) + "-" + hexadecimal(end);
}

// Nothing of a PVH guest depends on these two, but libxenguest 4.17 asks the same of all.
bool has_p2m_within(const XenNotes& notes, std::uint64_t start, std::uint64_t end) {
  const auto p2m = notes.number(XenNoteType::kInitialP2m);
  return p2m && *p2m >= start && *p2m < end;
}
bool has_offset_alone(const XenNotes& notes) {
  return notes.number(XenNoteType::kPhysicalOffset) && !notes.number(XenNoteType::kVirtualBase);
}

std::string why_no_pvh(const ElfImage& image, const XenNotes& notes) {
  const std::uint16_t machine = image.header.machine;
  if (machine != kElfMachine386 && machine != kElfMachineX86_64)
    return "it is for " + elf_machine_name(machine) + ", where Xen starts no ELF image";
  const auto entry = notes.number(XenNoteType::kPhysical32Entry);
  if (notes.source == XenNotes::Source::kGuestSection || !entry)
    return "it has no Xen note PHYS32_ENTRY (Linux has it when built with CONFIG_PVH)";
  if (has_offset_alone(notes)) return "it has the Xen note PADDR_OFFSET without VIRT_BASE";
  if (!image.memory) return "it has no segment to load";
  if (*entry < image.memory->start || *entry > image.memory->end || *entry >= ~std::uint32_t{0})
    return "its entry " + hexadecimal(*entry) + " (Xen note PHYS32_ENTRY) does not lie in what is loaded, " +
           range_text(image.memory->start, image.memory->end);
  if (has_p2m_within(notes, image.memory->start, image.memory->end))
    return "its Xen note INIT_P2M lies in what is loaded";
  return unmet_features(notes);
}

// Addresses wrap around, as they do in libxenguest: kernels are loaded low and run high.
std::string why_no_pv_addresses(const ElfImage& image, const XenNotes& notes) {
  const auto base = notes.number(XenNoteType::kVirtualBase);
  const auto offset = notes.number(XenNoteType::kPhysicalOffset);
  if (has_offset_alone(notes)) return "it has the Xen note PADDR_OFFSET without VIRT_BASE";
  const std::uint64_t virtual_base = base.value_or(0);
  // Kernels that had only __xen_guest gave virtual addresses in place of physical ones.
  const bool old = notes.source == XenNotes::Source::kGuestSection;
  const std::uint64_t shift = virtual_base - offset.value_or(old ? virtual_base : 0);
  const std::uint64_t start = image.memory->start + shift;
  const std::uint64_t end = image.memory->end + shift;
  const std::uint64_t entry = notes.number(XenNoteType::kEntry).value_or(image.header.entry);
  if (start > end || entry < start || entry > end)
    return "its entry " + hexadecimal(entry) + " does not lie in what is loaded, " + range_text(start, end);
  if (virtual_base > start)
    return "its base " + hexadecimal(virtual_base) + " lies above what is loaded, " + range_text(start, end);
  if (has_p2m_within(notes, start, end)) return "its Xen note INIT_P2M lies in what is loaded";
  return {};
}

// A 32-bit PV guest of today's Xen uses PAE. One note is enough to say so, whatever others say.
bool uses_pae(const XenNotes& notes) {
  const bool old = notes.source == XenNotes::Source::kGuestSection;
  return std::ranges::any_of(notes.notes, [&](const XenNote& note) {
    if (note.type != XenNoteType::kPaeMode) return false;
    return old ? note.text.starts_with("yes")
               : note.text == "yes" || note.text.find("bimodal") != std::string::npos;
  });
}

std::string why_no_pv(const ElfImage& image, const XenNotes& notes) {
  const std::uint16_t machine = image.header.machine;
  if (machine != kElfMachine386 && machine != kElfMachineX86_64)
    return "it is for " + elf_machine_name(machine) + ", where Xen has no PV guests";
  if (notes.source == XenNotes::Source::kNone) return "it has no Xen notes";
  const std::string_view guest_os = notes.text(XenNoteType::kGuestOs);
  const std::string_view loader = notes.text(XenNoteType::kLoader);
  if (!loader.starts_with("generic") && !guest_os.starts_with("linux"))
    return "its Xen notes name neither LOADER generic nor GUEST_OS linux";
  if (!notes.text(XenNoteType::kXenVersion).starts_with("xen-3.0"))
    return "its Xen notes do not name XEN_VERSION xen-3.0";
  if (machine == kElfMachine386 && !uses_pae(notes))
    return "it is a 32-bit kernel without PAE (Xen note PAE_MODE), which Xen no longer starts";
  if (!image.memory) return "it has no segment to load";
  std::string addresses = why_no_pv_addresses(image, notes);
  if (!addresses.empty()) return addresses;
  return unmet_features(notes);
}

}  // namespace

std::string XenNote::describe() const {
  std::string result(info(type).name);
  if (info(type).form == Form::kText) return result + " " + text;
  for (const std::uint64_t number : numbers) result += " " + hexadecimal(number);
  return result;
}

std::optional<std::uint64_t> XenNotes::number(XenNoteType type) const {
  for (const XenNote& note : notes | std::views::reverse)
    if (note.type == type && !note.numbers.empty()) return note.numbers.front();
  return std::nullopt;
}

std::string_view XenNotes::text(XenNoteType type) const {
  for (const XenNote& note : notes | std::views::reverse)
    if (note.type == type) return note.text;
  return {};
}

Result<std::size_t> XenNotes::add_region(Bytes region, std::string_view where, Budget& budget) {
  std::size_t found = 0;
  ElfNoteReader reader(region);
  while (true) {
    PVHGRUB_TRY(budget.charge_steps(1, "reading ELF notes"));
    auto next = reader.next();
    if (!next) {
      problems.push_back(std::string(where) + " is damaged: " + next.error().message);
      return found;
    }
    if (!*next) return found;
    const ElfNote& note = **next;
    if (note.is_cut) problems.push_back(std::string(where) + " ends within its last note");
    if (note.name == "Linux" && note.type == kLinuxBuildSalt) linux_build = text_of(note.description);
    if (note.name != "Xen") continue;
    ++found;
    if (note.type >= kTypes.size()) continue;
    auto known = read_note(static_cast<XenNoteType>(note.type), note);
    if (known) {
      notes.push_back(std::move(*known));
    } else {
      problems.push_back("the Xen note " + std::string(kTypes.at(note.type).name) + " " +
                         known.error().message);
    }
  }
}

Result<void> XenNotes::add_guest_section(Bytes contents, Budget& budget) {
  const std::string text = text_of(contents);
  for (const auto part : std::views::split(std::string_view(text), ',')) {
    PVHGRUB_TRY(budget.charge_steps(1, "reading the section __xen_guest"));
    const std::string_view item(part.begin(), part.end());
    const std::string_view name = item.substr(0, item.find('='));
    const std::string_view value = item.substr(std::min(name.size() + 1, item.size()));
    const auto* const known = std::ranges::find(kTypes, name, &TypeInfo::guest_section_name);
    if (name.empty() || known == kTypes.end()) continue;
    XenNote note{static_cast<XenNoteType>(known - kTypes.begin()), {}, {}};
    if (known->form == Form::kText) {
      note.text = value;
    } else if (const auto number = parse_number(value)) {
      note.numbers.push_back(*number);
    } else {
      problems.push_back("the section __xen_guest has " + std::string(item) + ", which is no number");
      continue;
    }
    notes.push_back(std::move(note));
  }
  return {};
}

XenSupport xen_support(const ElfImage& image, const XenNotes& notes) {
  XenSupport support;
  support.no_pvh = why_no_pvh(image, notes);
  if (support.no_pvh.empty())
    support.pvh_entry = static_cast<std::uint32_t>(*notes.number(XenNoteType::kPhysical32Entry));
  support.no_pv = why_no_pv(image, notes);
  support.pv = support.no_pv.empty();
  return support;
}

}  // namespace pvhgrub::bootimage
