// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "menu/menu_host.h"

namespace pvhgrub::menu {

/// Tells the host whether a menu is shown, and whether anybody is there.
class AttendanceReport {
 public:
  /// The host outlives it.
  explicit AttendanceReport(MenuHost& host) : host_(host) {}

  /// A menu is on the terminal. `counting`: its own seconds run.
  void shown(bool counting) { set(touched_ || counting ? Attendance::kAttended : Attendance::kShown); }
  /// A person has touched a key: from now on somebody is there.
  void touched() {
    touched_ = true;
    if (state_ != Attendance::kClosed) set(Attendance::kAttended);
  }
  void closed() { set(Attendance::kClosed); }

 private:
  void set(Attendance state) {
    if (state != state_) host_.attend(state);
    state_ = state;
  }

  MenuHost& host_;
  Attendance state_ = Attendance::kClosed;
  bool touched_ = false;
};

}  // namespace pvhgrub::menu
