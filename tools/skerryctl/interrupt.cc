#include "tools/skerryctl/interrupt.h"

#include <atomic>
#include <csignal>

namespace skerry::skerryctl {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> seen = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a handler may touch nothing else");

void Note(int /*signal*/) { seen.store(true); }

}  // namespace

Interrupt::Interrupt() {
  seen.store(false);
  for (const int signal : kSignals) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction noted = {};
    noted.sa_handler = Note;
    // What is under way goes on; the next one finds the default.
    noted.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(signal, &noted, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (const int signal : kSignals) {
    struct sigaction now = {};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler == Note) std::signal(signal, SIG_DFL);
  }
}

bool Interrupt::Seen() { return seen.load(); }

}  // namespace skerry::skerryctl
