#include "tools/skerryctl/top/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/skerryctl/top/view.h"

namespace skerry::skerryctl {
namespace {

// The other page, without a cursor; and back.
constexpr char kBegin[] = "\x1b[?1049h\x1b[?25l";
constexpr char kEnd[] = "\x1b[?25h\x1b[?1049l";
constexpr char kHome[] = "\x1b[H";
constexpr char kEndOfLine[] = "\x1b[K\r\n";
constexpr char kRest[] = "\x1b[K\x1b[J";

sigset_t Ends() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

std::unique_ptr<Screen> Screen::Open() {
  termios before = {};
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0 ||
      tcgetattr(STDIN_FILENO, &before) != 0)
    return nullptr;
  const sigset_t ends = Ends();
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const int signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
  termios keys = before;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Each key at once; ^C stays a signal.
  tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  std::cout << kBegin << std::flush;
  return std::unique_ptr<Screen>(new Screen(before, signals));
}

Screen::~Screen() {
  std::cout << kEnd << std::flush;
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  if (signals_ >= 0) close(signals_);
}

void Screen::Draw(const std::string& text) {
  winsize size = {};
  const bool known =
      ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1;
  const std::string fitted = Fitted(text, known ? size.ws_col : 80, known ? size.ws_row - 1u : 24u);
  std::cout << kHome << absl::StrReplaceAll(fitted, {{"\n", kEndOfLine}}) << kRest << std::flush;
}

bool Screen::Await(absl::Duration time) {
  pollfd ready[] = {{.fd = signals_, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  const int count = poll(ready, 2, static_cast<int>(absl::ToInt64Milliseconds(time)));
  if (count < 0) return false;
  if (ready[0].revents != 0) return false;
  if (ready[1].revents == 0) return true;
  char key = 0;
  return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q';
}

}  // namespace skerry::skerryctl
