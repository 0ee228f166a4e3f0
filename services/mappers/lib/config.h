// Settings of a mapper.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_CONFIG_H_
#define SKERRY_SERVICES_MAPPERS_LIB_CONFIG_H_

#include <cstdint>
#include <string>

#include "services/lib/config/config.h"

namespace skerry::mapper {

struct MapperConfig {
  config::CommonConfig common;
  std::string name;  // Defaults are the binary's.
  std::string protocol;
  std::string run_dir = "/run/skerry";
  std::string listen;        // Empty: unix:<run_dir>/<name>.sock.
  std::string twin_address;  // Empty: unix:<run_dir>/dmi.sock.
  int64_t devices_max = 256;
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, MapperConfig& config);

// Addresses that were not given follow from run_dir and name.
void FillAddresses(MapperConfig& config);

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_CONFIG_H_
