#include "services/edged-svc/entry.h"
#include "services/lib/process/service.h"

int main(int argc, char** argv) {
  return skerry::process::RunService(argc, argv, *skerry::edged::Entry());
}
