// The process of a pod's sandbox: holds the namespaces, reaps what is orphaned, leaves on a signal.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void Leave(int signal_number) {
  (void)signal_number;
  _exit(0);
}

static void Reap(int signal_number) {
  (void)signal_number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(void) {
  struct sigaction leave = {.sa_handler = Leave};
  struct sigaction reap = {.sa_handler = Reap, .sa_flags = SA_NOCLDSTOP};
  if (sigaction(SIGINT, &leave, NULL) < 0 || sigaction(SIGTERM, &leave, NULL) < 0 || sigaction(SIGCHLD, &reap, NULL) < 0)
    return 1;
  for (;;) pause();
}
