// Columns for people.
#ifndef SKERRY_TOOLS_SKERRYCTL_TABLE_H_
#define SKERRY_TOOLS_SKERRYCTL_TABLE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace skerry::skerryctl {

// Rows below a heading, padded, as kubectl prints them. Cells are made Printable; empty ones show
// as "-".
class Table {
 public:
  explicit Table(std::vector<std::string> heading);
  void Add(std::vector<std::string> row);
  std::string Render() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "45s", "12m", "3h20m", "8d": as kubectl shows ages.
std::string Age(absl::Duration age);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TABLE_H_
