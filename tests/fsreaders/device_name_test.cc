// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/device_name.h"

#include <catch2/catch.hpp>

using namespace pvhgrub::fs;

TEST_CASE("a device name is read as GRUB reads it") {
  CHECK(normal_device_name("hd0") == "hd0");
  CHECK(normal_device_name("hd00") == "hd0");
  CHECK(normal_device_name("hd010") == "hd10");  // a disk's number is always decimal
  CHECK(normal_device_name("hd1x") == "hd1");
  CHECK(normal_device_name("hd0,gpt2") == "hd0,gpt2");
  CHECK(normal_device_name("hd0,gpt02") == "hd0,gpt2");
  CHECK(normal_device_name("hd0,02") == "hd0,2");
  CHECK(normal_device_name("hd0,0x10") == "hd0,16");
  CHECK(normal_device_name("hd0,010") == "hd0,8");
  CHECK(normal_device_name("hd0,018") == "hd0,1");  // octal ends at the 8
  CHECK(normal_device_name("hd0,08") == "hd0,8");   // no octal number at all
  CHECK(normal_device_name("hd0,msdos5abc") == "hd0,msdos5");
  CHECK(normal_device_name("hd0, 3") == "hd0,3");
  CHECK(normal_device_name("hd0,msdos1,") == "hd0,msdos1");
  CHECK(normal_device_name("hd0,msdos1,bsd2") == "hd0,msdos1,bsd2");
  CHECK(normal_device_name("hd00,01,0x2,") == "hd0,1,2");
}

TEST_CASE("a name that means nothing to GRUB stays as it is") {
  for (const char* const name : {"", "hd", "hd,", "hd0,", "hd0,gpt", "HD0", "hd0,GPT2", "loop0", "a,b", ",1",
                                 "hd0,msdos1,bsd", "hd0,4294967295", "hd0,99999999999999999999"})
    CHECK(normal_device_name(name) == name);
}

TEST_CASE("a partition is known by its number under any table's name") {
  CHECK(is_name_of_device("hd0,2", "hd0,gpt2"));
  CHECK(is_name_of_device("hd0,gpt2", "hd0,gpt2"));
  CHECK(is_name_of_device("hd00,02", "hd0,msdos2"));
  CHECK_FALSE(is_name_of_device("hd0,msdos2", "hd0,gpt2"));
  CHECK_FALSE(is_name_of_device("hd0,GPT2", "hd0,gpt2"));
  CHECK_FALSE(is_name_of_device("hd0", "hd0,gpt2"));
  CHECK_FALSE(is_name_of_device("hd0,2", "hd0"));
  CHECK(is_name_of_device("hd0", "hd0"));
  for (const char* const name : {"hd0,msdos1,bsd2", "hd0,1,bsd2", "hd0,msdos1,2", "hd0,1,2"})
    CHECK(is_name_of_device(name, "hd0,msdos1,bsd2"));
  for (const char* const name : {"hd0,msdos1", "hd0,bsd2", "hd0,1", "hd0,2", "hd0,1,2,1", "hd0,bsd1,bsd2"})
    CHECK_FALSE(is_name_of_device(name, "hd0,msdos1,bsd2"));
}

TEST_CASE("the parts of a name") {
  CHECK(disk_of_device("hd0,gpt2") == "hd0");
  CHECK(disk_of_device("loop0") == "loop0");
  CHECK(partition_map_of_device("hd0,gpt2") == "gpt");
  CHECK(partition_map_of_device("hd0,2").empty());
  CHECK(partition_map_of_device("hd0").empty());
  CHECK(partition_map_of_device("hd0,msdos1,bsd2") == "bsd");
}
