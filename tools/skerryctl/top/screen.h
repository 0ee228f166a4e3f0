// A terminal that shows one page, again and again.
#ifndef SKERRY_TOOLS_SKERRYCTL_TOP_SCREEN_H_
#define SKERRY_TOOLS_SKERRYCTL_TOP_SCREEN_H_

#include <termios.h>

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace skerry::skerryctl {

// Takes the terminal and the signals that end a program, before there are other threads; gives
// both back when it goes. Used by one thread.
class Screen {
 public:
  // Null where standard input or output is no terminal.
  static std::unique_ptr<Screen> Open();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // As much of `text` as the terminal has room for.
  void Draw(const std::string& text);
  // False: 'q' was pressed, or the program is to end. True after `time`, or any other key.
  bool Await(absl::Duration time);

 private:
  Screen(const termios& before, int signals) : before_(before), signals_(signals) {}

  const termios before_;
  const int signals_;  // A signalfd.
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TOP_SCREEN_H_
