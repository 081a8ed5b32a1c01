// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sandbox/layer_report.h"

#include <sched.h>

#include <utility>

namespace pvhgrub::sandbox {
namespace {

std::string seccomp_text(const LayerReport& report) {
  if (!report.seccomp) return "LEFT OUT (sanitizer build, not for use)";
  return std::to_string(report.allowed_calls) + " calls allowed, " + std::to_string(report.refused_calls) +
         " refused, any other kills";
}

std::string identity_text(const LayerReport& report) {
  return "uid " + std::to_string(report.uid) + " gid " + std::to_string(report.gid) +
         (report.groups_dropped ? ", no other groups" : ", the caller's other groups kept");
}

std::string capabilities_text(const LayerReport& report) {
  return report.bounding_set_empty ? "none, bounding set empty" : "none, bounding set kept";
}

std::string namespaces_text(const LayerReport& report) {
  constexpr std::pair<int, const char*> kNames[] = {
      {CLONE_NEWUSER, "user"}, {CLONE_NEWNS, "mount"}, {CLONE_NEWPID, "pid"},      {CLONE_NEWNET, "net"},
      {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"},  {CLONE_NEWCGROUP, "cgroup"}};
  std::string text;
  for (const auto& [flag, name] : kNames)
    if ((report.namespaces & static_cast<unsigned long>(flag)) != 0)
      text += (text.empty() ? "" : " ") + std::string(name);
  return text.empty() ? "none" : text;
}

std::string root_text(const LayerReport& report) {
  switch (report.root) {
    case RootKind::kPivoted:
      return "empty read-only tmpfs, all other mounts gone";
    case RootKind::kDetached:
      return "empty read-only tmpfs by chroot";
    case RootKind::kHost:
      break;
  }
  return "the host's, denied by Landlock alone";
}

std::string landlock_text(const LayerReport& report) {
  if (report.landlock_abi == 0) return "not in this kernel";
  return "ABI " + std::to_string(report.landlock_abi) + ", all denied";
}

std::string limits_text(const LayerReport& report) {
  std::string text;
  for (const std::string& limit : report.limits) text += (text.empty() ? "" : ", ") + limit;
  return text;
}

constexpr const char* kProcessText = "no_new_privs, not dumpable, own session, dies with its broker";

}  // namespace

std::string LayerReport::to_line() const {
  return "seccomp: " + seccomp_text(*this) + "; " + identity_text(*this) +
         "; capabilities: " + capabilities_text(*this) + "; namespaces: " + namespaces_text(*this) +
         "; root: " + root_text(*this) + "; landlock: " + landlock_text(*this) +
         "; limits: " + limits_text(*this) + "; process: " + kProcessText;
}

std::string LayerReport::to_text() const {
  return "seccomp:      " + seccomp_text(*this) + "\n" +       //
         "identity:     " + identity_text(*this) + "\n" +      //
         "capabilities: " + capabilities_text(*this) + "\n" +  //
         "namespaces:   " + namespaces_text(*this) + "\n" +    //
         "root:         " + root_text(*this) + "\n" +          //
         "landlock:     " + landlock_text(*this) + "\n" +      //
         "limits:       " + limits_text(*this) + "\n" +        //
         "process:      " + std::string(kProcessText) + "\n";
}

}  // namespace pvhgrub::sandbox
