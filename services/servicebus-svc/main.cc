#include "services/lib/process/service.h"
#include "services/servicebus-svc/entry.h"

int main(int argc, char** argv) {
  return skerry::process::RunService(argc, argv, *skerry::servicebus::Entry());
}
