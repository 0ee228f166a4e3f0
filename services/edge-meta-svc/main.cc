#include "services/edge-meta-svc/entry.h"
#include "services/lib/process/service.h"

int main(int argc, char** argv) {
  return skerry::process::RunService(argc, argv, *skerry::edgemeta::Entry());
}
