#include "services/lib/process/service.h"
#include "services/twin-svc/entry.h"

int main(int argc, char** argv) {
  return skerry::process::RunService(argc, argv, *skerry::twin::Entry());
}
