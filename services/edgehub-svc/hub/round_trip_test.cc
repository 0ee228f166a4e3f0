#include "services/edgehub-svc/hub/round_trip.h"

#include <gtest/gtest.h>

namespace skerry::edgehub {
namespace {

constexpr absl::Duration At(int64_t seconds) { return absl::Seconds(seconds); }

TEST(RoundTripTest, MeasuresOneAtATime) {
  RoundTrip trip;
  EXPECT_EQ(trip.Applied("pods", 1, At(0)), std::nullopt);
  trip.Sent("pods", 3, At(1));
  trip.Sent("pods", 5, At(2));
  trip.Sent("nodes", 1, At(2));
  EXPECT_EQ(trip.Applied("pods", 2, At(3)), std::nullopt);
  EXPECT_EQ(trip.Applied("nodes", 9, At(3)), std::nullopt);
  EXPECT_EQ(trip.Applied("pods", 5, At(4)), At(3));
  EXPECT_EQ(trip.Applied("pods", 6, At(5)), std::nullopt);
  trip.Sent("nodes", 2, At(6));
  EXPECT_EQ(trip.Applied("nodes", 2, At(6)), At(0));
}

TEST(RoundTripTest, ForgetsWhatASessionLeftUnderWay) {
  RoundTrip trip;
  trip.Sent("pods", 3, At(1));
  trip.Abandon();
  EXPECT_EQ(trip.Applied("pods", 3, At(9)), std::nullopt);
  trip.Sent("pods", 3, At(10));
  EXPECT_EQ(trip.Applied("pods", 3, At(11)), At(1));
}

}  // namespace
}  // namespace skerry::edgehub
