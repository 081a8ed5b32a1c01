// SPDX-License-Identifier: LGPL-2.1-or-later
// What FreeBSD's boot programs would know when they start the kernel, from all of their files.
#pragma once

#include <string>

#include "base/result.h"
#include "grubcfg/freebsd_loader_conf.h"
#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// Reads the files of the system whose /boot lies on `device`, in the loader's order, loader.conf(5) and
/// /boot/lua/config.lua of FreeBSD 13 to 15: /boot/defaults/loader.conf; the files that its loader_conf_files
/// names, each followed by those that it names itself; *.conf in the directories of loader_conf_dirs, by
/// name; the files of local_loader_conf_files. Before all of them boot.config(5) is read, whose flags become
/// the variables that they stand for. /boot/device.hints is left out: it tells of devices that a PVH guest
/// has not. Where nothing says vfs.root.mountfrom it is taken from the line for / of /etc/fstab, as the
/// loader does.
[[nodiscard]] Result<FreebsdSettings> read_freebsd_settings(const MenuContext& context,
                                                            const std::string& device);

/// Sets the variables that boot flags ("-Dv") and assignments among the words of `options` stand for
/// (boot(8); sys/kern/subr_boot.c). Unknown ones have no effect, as in FreeBSD.
void apply_freebsd_boot_options(std::string_view options, FreebsdSettings& settings);

}  // namespace pvhgrub::grubcfg
