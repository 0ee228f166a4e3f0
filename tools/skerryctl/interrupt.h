// Ctrl-C as a question: for commands that would rather end between two steps.
#ifndef SKERRY_TOOLS_SKERRYCTL_INTERRUPT_H_
#define SKERRY_TOOLS_SKERRYCTL_INTERRUPT_H_

namespace skerry::skerryctl {

// While there is one, the first SIGINT, SIGTERM or SIGHUP is only noted; the second of a kind ends
// the program at once, as ever. Signals that were ignored (nohup) stay so. One at a time; any
// thread may ask.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // There was one.
  static bool Seen();
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_INTERRUPT_H_
