// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/systemd_boot.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "grubcfg/bls_order.h"
#include "grubcfg/bls_reader.h"
#include "grubcfg/boot_partitions.h"
#include "grubcfg/loader_conf.h"

namespace pvhgrub::grubcfg {

namespace {

/// loader.conf is read from the EFI system partition, as systemd-boot does; where there is none, from the
/// place that the menu was found in.
Result<LoaderConf> read_loader_conf(const MenuContext& context, const std::vector<BootPlace>& places) {
  std::vector<const BootPlace*> order;
  for (const BootPlace& place : places)
    order.insert(place.kind == BootPartition::kEsp ? order.begin() : order.end(), &place);
  for (const BootPlace* const place : order) {
    PVHGRUB_TRY_ASSIGN(const FileReference file,
                       find_in_place(context.files(), *place, {"loader", "loader.conf"}));
    PVHGRUB_TRY_ASSIGN(const bool there, context.files().is_file(file));
    if (!there) continue;
    std::string why;
    PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text,
                       context.files().read(file, limits::kBootEntryBytes, &why));
    if (text) return parse_loader_conf(*text, file.to_string(), context.budget, context.diagnostics);
    context.diagnostics.notice(file.to_string(), why);
  }
  context.diagnostics.explain("no loader.conf: the first entry is booted at once");
  return LoaderConf();
}

/// The entry that loader.conf chooses, else the first.
Result<std::size_t> choose_default(const MenuContext& context, const LoaderConf& conf,
                                   const std::vector<BlsEntry>& entries) {
  for (const bool preferred : {true, false}) {
    const std::string& pattern = preferred ? conf.preferred_entry : conf.default_entry;
    if (pattern.empty()) continue;
    PVHGRUB_TRY_ASSIGN(const std::optional<std::size_t> found,
                       find_bls_entry(entries, pattern, preferred, context.budget));
    if (found) return *found;
    context.diagnostics.notice("",
                               std::string(preferred ? "preferred" : "default") + " " + pattern +
                                   " of loader.conf matches no entry; it is matched against whole ids, as " +
                                   entries.front().id);
  }
  return std::size_t{0};
}

/// A firmware starts a unified kernel image without any loader, by its default name.
Result<bool> is_one_image(const MenuContext& context, const ConfigurationSource& source) {
  if (source.kind != "uki") return false;
  return context.files().is_file({source.device, source.path});
}

// A boot counter is a file's name, and nothing renames files of the guest.
void tell_counter(const MenuContext& context, const BlsEntry& entry) {
  if (!entry.counter) return;
  if (entry.is_bad()) {
    context.diagnostics.notice(entry.where, "the default entry has no tries left");
  } else {
    context.diagnostics.notice(entry.where, "the default entry has " + std::to_string(entry.counter->left) +
                                                " tries left; booting it this way does not count them down");
  }
}

}  // namespace

Result<std::unique_ptr<Menu>> load_systemd_boot_menu(const MenuContext& context,
                                                     const ConfigurationSource& source) {
  const bool only_images = source.kind == "uki";
  const std::vector<BootPlace> places = boot_places(context.devices, source);
  PVHGRUB_TRY_ASSIGN(const LoaderConf conf, read_loader_conf(context, places));
  BlsReader reader(context);
  const FileReference file{source.device, source.path};
  PVHGRUB_TRY_ASSIGN(const bool is_image, is_one_image(context, source));
  if (is_image) PVHGRUB_TRY(reader.read_image(file));
  for (const BootPlace& place : places) {
    if (is_image) break;
    if (!only_images) PVHGRUB_TRY(reader.read_type1(place));
    PVHGRUB_TRY(reader.read_type2(place, !only_images));
  }
  std::vector<BlsEntry> entries = reader.take();
  if (entries.empty())
    return fail(ErrorCode::kNoEntry, "there is no boot entry that systemd-boot would show", file.to_string());
  PVHGRUB_TRY(sort_bls_entries(entries, context.budget));
  make_titles_unique(entries);
  PlainMenuSettings settings;
  PVHGRUB_TRY_ASSIGN(settings.default_index, choose_default(context, conf, entries));
  settings.timeout = conf.timeout;
  settings.timeout_style = conf.timeout_style;
  tell_counter(context, entries[settings.default_index]);
  std::vector<PlainEntry> plain(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    plain[i].shown.title = std::move(entries[i].title);
    plain[i].shown.id = std::move(entries[i].id);
    plain[i].boot = std::move(entries[i].boot);
    plain[i].source = std::move(entries[i].source);
  }
  return std::make_unique<PlainMenu>(context, source, std::move(plain), std::move(settings));
}

}  // namespace pvhgrub::grubcfg
