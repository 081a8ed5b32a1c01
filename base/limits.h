// SPDX-License-Identifier: LGPL-2.1-or-later
// Every ceiling of the program, with its reason. A guest can reach any of them, so each must be harmless when
// reached and far above what a real system needs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pvhgrub::limits {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

// --- One request as a whole
// -------------------------------------------------------------------------------------

/// Loop turns. Ubuntu's grub.cfg takes some 2,000 to list; 100,000 entries take a few million; a loop that
/// never ends spends this in about a second.
inline constexpr std::uint64_t kBudgetSteps = 20'000'000;
/// Bytes read into the worker's memory or grown in variables, all in all. Contents that leave as extents are
/// free.
inline constexpr std::uint64_t kBudgetBytes = 1 * kGiB;
/// Wall-clock milliseconds from start to verdict when nobody is asked; libxl's own limit is the same 120 s.
inline constexpr std::uint64_t kDeadlineMilliseconds = 120'000;
/// Milliseconds that the broker stays alive at most for `xl create -c` to open its console.
inline constexpr std::uint64_t kConsoleWaitMilliseconds = 10'000;

// --- The worker's resource limits
// -------------------------------------------------------------------------------

/// RLIMIT_AS in bytes: the worker needs some 20 MiB, a bomb must end below 256 MiB.
inline constexpr std::uint64_t kWorkerAddressSpace = 192 * kMiB;
/// RLIMIT_CPU in seconds: below the deadline, so that a spinning worker ends even if the broker is stopped.
inline constexpr std::uint64_t kWorkerCpuSeconds = 100;
/// Milliseconds that the broker waits for a killed worker: one that hangs in the kernel on a dead disk cannot
/// be reaped, and must not hold the broker. A healthy one is gone in about one.
inline constexpr std::uint64_t kReapMilliseconds = 2'000;
/// Milliseconds from clone(2) to a finished execve(2) of the worker: about one, more on a dom0 that reads its
/// program from a slow disk.
inline constexpr std::uint64_t kSpawnMilliseconds = 10'000;
/// The highest descriptor number that a worker may be given: some hundred disks, and few enough to check
/// each.
inline constexpr int kWorkerDescriptors = 255;

// --- Between broker and worker
// ----------------------------------------------------------------------------------

/// One frame's payload in bytes: bounds the broker's buffer. Contents are cut into pieces of this size.
inline constexpr std::size_t kFramePayload = 64 * kKiB;
/// A script handed in with --eval or --isconfig, in bytes: the largest real grub.cfg seen has 200 KiB, one of
/// 100,000 entries some 22 MB.
inline constexpr std::size_t kScriptBytes = 32 * kMiB;
/// The host's own configuration file in bytes: one with every line and comment has some 4 KiB.
inline constexpr std::size_t kHostConfigurationBytes = 64 * kKiB;
/// Facts that --inspect tells of one disk or kernel: 256 partitions with some ten each.
inline constexpr std::uint64_t kFacts = 10'000;
/// Log records that the broker takes from one worker; later ones are dropped, with one notice.
inline constexpr std::uint64_t kLogRecords = 10'000;
/// Bytes of text that --eval may echo.
inline constexpr std::uint64_t kEchoBytes = 16 * kMiB;
/// Output pieces (extents) that wait in the broker; past it the broker stops reading from the worker.
inline constexpr std::size_t kQueuedPieces = 1024;
/// Pieces that one output may be made of: a 4 GiB initrd in the smallest (1 KiB) blocks, each apart.
inline constexpr std::uint64_t kOutputPieces = 4'194'304;
/// Milliseconds that the broker waits for the lock on a disk that it must write an environment block to:
/// others hold it for a few milliseconds (udev, another pvhgrub).
inline constexpr std::uint64_t kDiskLockMilliseconds = 10'000;
/// Bytes moved in one turn of the broker's loop.
inline constexpr std::size_t kCopyPiece = 8 * kMiB;
/// A kernel's size in bytes: what libxenguest takes (XC_DOM_DECOMPRESS_MAX).
inline constexpr std::uint64_t kKernelBytes = 1 * kGiB;
/// What a compressed kernel may need of memory for its format's own window or dictionary, in bytes: Linux
/// compresses with `zstd -22 --ultra` and, since 6.12, with xz and a dictionary of 128 MiB.
inline constexpr std::uint64_t kDecompressionWindow = 128 * kMiB;
/// A compressed kernel may give this many bytes, and beyond them this many times what was read of it: kernels
/// give 3 to 8 times, 1 GiB of zeros gives 1,000 times and more and must end early.
inline constexpr std::uint64_t kDecompressionGrace = 64 * kMiB;
inline constexpr std::uint64_t kDecompressionRatio = 64;
/// Bytes by which what was read of a compressed kernel may exceed 9/8 of what came out. No compressor makes
/// its input longer by more than 1 %; LZ4 takes in 8 MiB before it gives any; empty blocks must end.
inline constexpr std::uint64_t kDecompressionLag = 16 * kMiB;
/// A ramdisk's size in bytes: must lie under 4 GiB of guest memory beside the kernel.
inline constexpr std::uint64_t kRamdiskBytes = 4 * kGiB;

// --- What libxl takes (tools/libs/light/libxl_bootloader.c)
// -------------------------------------------------------

/// The longest command line: libxl drops an item of 8192 bytes or more, "args " and the final NUL included.
inline constexpr std::size_t kCommandLineBytes = 8186;

/// The longest command line of a kernel that the PV shim starts: libxenguest ends the toolstack by an
/// assertion on a longer one (tools/libs/guest/xg_dom_x86.c, add_module_to_list).
inline constexpr std::size_t kShimCommandLineBytes = 1023;

// --- Listing
// ----------------------------------------------------------------------------------------------------

/// Menu entries in all menus of one configuration.
inline constexpr std::size_t kMenuEntries = 200'000;
/// Entries that a person may try to boot, one after another, before one can be: a patient one tries ten.
inline constexpr std::uint64_t kChoices = 1000;
/// Submenus inside submenus; GRUB has no limit, real configurations have two.
inline constexpr unsigned kSubmenuDepth = 32;

/// Bytes of an entry under edit, or of one command line: some hundred times the longest real one.
inline constexpr std::size_t kEditedTextBytes = 256 * kKiB;
/// Bytes of one guest text that a menu shows, more than the largest screen holds of it; and bytes of one line
/// of what a command prints, which goes on in the next: a character becomes some 70 bytes on its way to the
/// screen.
inline constexpr std::size_t kShownTextBytes = 8 * kKiB;
inline constexpr std::size_t kScreenLineBytes = 4 * kKiB;
/// Lines that the command line's screen remembers, and commands that its history does.
inline constexpr std::size_t kScreenLines = 10'000;
inline constexpr std::size_t kCommandHistory = 200;
/// Wrong passwords that one menu takes before it takes none at all.
inline constexpr unsigned kPasswordTries = 10;
/// Milliseconds of processor time that a menu may spend on telling how its entries would be booted: below the
/// worker's own limit, which a person must not run into by looking around.
inline constexpr std::uint64_t kDetailsMilliseconds = 30'000;

// --- Syslinux
// ---------------------------------------------------------------------------------------------------

/// Files that INCLUDE each other, inside one another: what syslinux's manual promises.
inline constexpr std::size_t kIncludeDepth = 16;
/// INCLUDEs of one configuration: each costs a look into the file system. An installer's has some 30.
inline constexpr std::size_t kIncludedFiles = 1000;
/// Configuration files that one leads to by CONFIG and menu.c32; a live system has some ten. More are not
/// shown.
inline constexpr std::size_t kChainedConfigurations = 100;

// --- Disks and file systems
// -------------------------------------------------------------------------------------

/// Partitions of one disk: libfdisk reads as many GPT entries, MBR logical partitions are chained.
inline constexpr std::size_t kPartitions = 256;
/// Entries of a GPT, used or not: UEFI wants room for 128, and tools write no more unless told to. libfdisk
/// reads the whole array (here 512 KiB) into memory, twice.
inline constexpr std::uint32_t kGptEntries = 4096;
/// Symbolic links followed in one look-up: the kernel's own limit (MAXSYMLINKS).
inline constexpr unsigned kSymlinks = 40;
/// Bytes of a path or a link's target: the kernel's PATH_MAX.
inline constexpr std::size_t kPathBytes = 4096;
/// A boot configuration file in bytes: as kScriptBytes.
inline constexpr std::size_t kConfigurationBytes = 32 * kMiB;
/// Entries of one directory of FAT, parts of long names included: 2 MiB (Linux's FAT_MAX_DIR_SIZE, and the
/// 65,536 of Windows).
inline constexpr std::size_t kFatDirectoryEntries = 65'536;
/// Entries of one directory of exFAT, all of a set counted: 256 MiB (exFAT specification, section 6.1).
inline constexpr std::size_t kExfatDirectoryEntries = 8'388'608;
/// Entries of one directory.
inline constexpr std::size_t kDirectoryEntries = 1'000'000;
/// Volume descriptors of one ISO 9660 volume: real ones have two to five.
inline constexpr std::size_t kIso9660Descriptors = 64;
/// Areas that continue one directory record's Rock Ridge entries, of at most 2 KiB each: Linux follows as
/// many, and the longest name and target need three.
inline constexpr std::size_t kIso9660Continuations = 32;
/// Journal blocks of one ext4 file system that the replay overlay may name: mke2fs makes journals of up to 1
/// GiB in 1 KiB blocks; the overlay holds some 16 bytes for each.
inline constexpr std::size_t kJournalOverlayBlocks = 1'048'576;
/// Bytes of one XFS file system that its log changes and that are held in memory until the end. A log of the
/// usual 64 MiB changes some 5 MiB of directories and inodes; a log has at most 2 GiB.
inline constexpr std::size_t kXfsOverlayBytes = 48 * kMiB;
/// Bytes of the transactions of an XFS log that are open at once, of which only what a reader needs is held:
/// the kernel begins to write one at 32 MiB and lets none become larger than 64 MiB.
inline constexpr std::size_t kXfsLogTransactionBytes = 40 * kMiB;
/// Revoke records of one ext4 journal, 16 bytes each: a block is revoked once a transaction, and a
/// transaction is at most a quarter of the journal.
inline constexpr std::size_t kJournalRevokeRecords = 1'048'576;
/// Group descriptors of one ext file system in bytes, which libext2fs holds in memory: 64 TiB in 4 KiB
/// blocks.
inline constexpr std::uint64_t kExtGroupDescriptorBytes = 32 * kMiB;
/// Runs of blocks of one file, 16 bytes each: a 4 GiB initrd in 1 KiB blocks, each apart.
inline constexpr std::size_t kFileRuns = 4'194'304;
/// Names of one directory in bytes, all in all, which a listing holds in memory: kDirectoryEntries of 16
/// bytes.
inline constexpr std::size_t kDirectoryNameBytes = 16 * kMiB;

/// Chunks of one btrfs file system, and stripes of all of them, which are held in memory (some 24 and 24
/// MiB): 256 TiB in chunks of 1 GiB.
inline constexpr std::size_t kBtrfsChunks = 262'144;
inline constexpr std::size_t kBtrfsStripes = 1'048'576;
/// Extents of one file of btrfs, 40 bytes each: 2 GiB in sectors of 4 KiB, each apart; 64 GiB compressed.
inline constexpr std::size_t kBtrfsFileExtents = 524'288;
/// Items of one btrfs subvolume that the replay of its log may hold in memory, in bytes: the log has what was
/// fsynced within the last 30 seconds before a crash. A larger one is not replayed.
inline constexpr std::size_t kBtrfsLogBytes = 24 * kMiB;
/// Subvolumes of one btrfs file system that have such a log: each program that calls fsync keeps to one.
inline constexpr std::size_t kBtrfsLogs = 64;
/// Subvolumes of one btrfs file system that paths of one request lead into: snapshot tools keep some hundred.
inline constexpr std::size_t kBtrfsSubvolumes = 65'536;

/// Extents of one compressed file of EROFS, 16 bytes each: 4 GiB in blocks of 4 KiB, each by itself.
inline constexpr std::size_t kErofsExtents = 1'048'576;

/// Files opened as disks in one request, each with its file system: a stick of installers has some ten.
inline constexpr std::size_t kLoopbackDisks = 128;
/// Such disks inside one another: a live medium's root lies in an image in a squashfs in an ISO image.
inline constexpr unsigned kLoopbackDepth = 4;

// --- GRUB's language
// --------------------------------------------------------------------------------------------

/// Nested blocks, ifs and loops in one script, which the parser recurses over.
inline constexpr unsigned kScriptNesting = 256;
/// Commands, and words, of one statement with everything inside it but blocks, which are kept as text: an
/// `if` around 100,000 menu entries has some 1,200,000 words. They bound the syntax tree to some 60 MiB.
inline constexpr std::size_t kStatementCommands = 500'000;
inline constexpr std::size_t kStatementWords = 4'000'000;
/// All variables of one environment together, in bytes.
inline constexpr std::size_t kEnvironmentBytes = 32 * kMiB;
/// All words of one command together, in bytes.
inline constexpr std::size_t kCommandBytes = 16 * kMiB;
/// A regular expression's length in bytes, and the product of its {m,n} repetitions: the compiled form grows
/// with both.
inline constexpr std::size_t kRegexpBytes = 1024;
inline constexpr std::uint64_t kRegexpRepetitions = 1000;
/// Bytes of the text that a regular expression is matched with; less where it refers back to a group, which
/// may take exponential time.
inline constexpr std::size_t kRegexpTextBytes = 64 * kKiB;
inline constexpr std::size_t kRegexpBackReferenceTextBytes = 24;
/// An environment block's size in bytes: grub-editenv makes 1024. The old and the new contents of one fit a
/// frame.
inline constexpr std::size_t kEnvironmentBlockBytes = 16 * kKiB;
/// Environment blocks of one configuration that may be written: real ones have one to three (grubenv, one
/// outside of a btrfs file system, one of the installer's).
inline constexpr std::size_t kEnvironmentBlocks = 16;
/// Runs that an environment block may lie in: kEnvironmentBlockBytes in sectors of 512 bytes, each apart, are
/// half of it.
inline constexpr std::size_t kEnvironmentExtents = 64;
/// Commands and lists of them under execution inside one another, over all calls of functions, files and
/// evals. GRUB 2.06 itself fails a command at this depth, so this is no limit of ours but part of the
/// language.
inline constexpr unsigned kRecursionDepth = 63;
/// One variable's or one word's length in bytes.
inline constexpr std::size_t kWordBytes = 1 * kMiB;
/// Words of one command after expansion.
inline constexpr std::size_t kWords = 65'536;
/// Variables of one environment.
inline constexpr std::size_t kVariables = 65'536;
/// Commands of one menu of GRUB Legacy, 12 bytes each: 200,000 entries of ten.
inline constexpr std::size_t kLegacyStatements = 2'000'000;
/// Script that GRUB 2's legacy_configfile makes of one menu, in bytes: some one and a half times the menu.
inline constexpr std::size_t kLegacyScriptBytes = 48 * kMiB;
/// Bytes of one entry file of the Boot Loader Specification; real ones have some 500.
inline constexpr std::size_t kBlsEntryBytes = 64 * kKiB;
/// Fields of one such file: GRUB 2.14's own limit.
inline constexpr std::size_t kBlsFields = 10'000;
/// Files on one initrd line, and modules of one hypervisor.
inline constexpr std::size_t kInitrds = 256;
/// An os-release file in bytes; real ones have some 500.
inline constexpr std::size_t kOsReleaseBytes = 64 * kKiB;

/// Rounds of PBKDF2 for one password, all blocks of the hash together: they take about a second, and
/// grub-mkpasswd-pbkdf2 makes 10,000.
inline constexpr std::uint64_t kPasswordRounds = 1'000'000;
/// Passwords that are tried where nobody is asked for a name: one for each entry of a menu, some of which
/// take a millisecond.
inline constexpr std::size_t kCheckedPasswords = 256;

// --- systemd-boot
// ----------------------------------------------------------------------------------------------

/// Bytes of a loader.conf or of one boot entry: real ones have some 500, and systemd-boot holds each as a
/// whole in the firmware's memory.
inline constexpr std::size_t kBootEntryBytes = 64 * kKiB;

// --- Other systems' loaders
// -------------------------------------------------------------------------------------

/// Bytes of one file of a loader that is neither GRUB's nor systemd's (loader.conf of FreeBSD, boot.cfg of
/// NetBSD, fstab): real ones have a few hundred, FreeBSD's defaults 9 KiB.
inline constexpr std::size_t kLoaderFileBytes = 256 * kKiB;
/// Files that the settings of one FreeBSD system lie in; real ones have five.
inline constexpr std::size_t kLoaderFiles = 256;
/// Variables, and modules, of FreeBSD's loader; the kernel keeps 512 variables.
inline constexpr std::size_t kFreebsdVariables = 4096;
/// FreeBSD's kernel environment at its start, and so each value: one page (sys/x86/xen/pv.c).
inline constexpr std::size_t kFreebsdEnvironmentBytes = 4 * kKiB;
/// A variable's name in FreeBSD's environment, in bytes (KENV_MNAMELEN).
inline constexpr std::size_t kFreebsdNameBytes = 128;
/// Directories in /boot of one FreeBSD system that are looked into for kernels; real ones have some ten.
inline constexpr std::size_t kFreebsdDirectories = 1000;
/// Kernels in the menu of one FreeBSD system; real ones have two.
inline constexpr std::size_t kFreebsdKernels = 100;
/// Entries of NetBSD's boot.cfg, as NetBSD's own loader; also commands of one entry that boot or load.
inline constexpr std::size_t kNetbsdEntries = 20;

// --- EFI programs and unified kernel images
// --------------------------------------------------------------------

/// Sections of one PE image: a unified kernel image of 256 profiles with a dozen sections each.
inline constexpr std::size_t kPeSections = 4096;
/// Bytes from a PE image's start to the end of its section table, which are held in memory: 40 for each of
/// kPeSections, and room for what EFI programs have in front of it.
inline constexpr std::size_t kPeHeaderBytes = 256 * kKiB;
/// Profiles of one unified kernel image: systemd's own limit.
inline constexpr std::size_t kUnifiedProfiles = 256;
/// Bytes of one text in a unified kernel image (.cmdline, .osrel, .profile, .uname): an os-release has some
/// 500, and no kernel takes a command line as long.
inline constexpr std::size_t kUnifiedTextBytes = 64 * kKiB;
/// Addons of one directory that are applied to unified kernel images; real systems have a handful.
inline constexpr std::size_t kUnifiedAddons = 256;

// --- Kernel images
// ---------------------------------------------------------------------------------------------

/// A compressed kernel image that lies in a compressed file (vmlinuz.gz), in bytes: it is held in memory.
inline constexpr std::uint64_t kNestedImageBytes = 24 * kMiB;
/// Layers of an image that lie in each other without compression: a unified kernel image has two.
inline constexpr unsigned kImageLayers = 8;
/// Zeros at an image's start that are counted, in bytes, to tell of a file that was never written.
inline constexpr std::uint64_t kZeroBytes = 1 * kMiB;
/// Segments of an ELF kernel: Linux has 5, NetBSD and FreeBSD some 10.
inline constexpr std::size_t kElfSegments = 256;
/// Sections of an ELF kernel: Linux has some 45, with all debug information some 80.
inline constexpr std::size_t kElfSections = 4096;
/// Bytes of all notes of an ELF kernel, which are held in memory: Linux has some 500.
inline constexpr std::uint64_t kElfNoteBytes = 256 * kKiB;
/// Segments, or sections, of notes of an ELF kernel: Linux has one segment.
inline constexpr std::size_t kElfNoteRegions = 256;
/// Bytes of the names of an ELF kernel's sections: kElfSections of 64 bytes.
inline constexpr std::uint64_t kElfSectionNameBytes = 256 * kKiB;

}  // namespace pvhgrub::limits
