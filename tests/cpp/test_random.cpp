// What random.hpp promises: equal seeds give equal bits everywhere, and the distributions are what they say.
//
// All numbers expected here are printed by tests/support/random_reference.py, which does the same with
// Python's whole numbers and doubles.
#include "catch.hpp"

#include <digitnet/random.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <type_traits>

using namespace digitnet;

namespace {

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

/// The next `count` words.
std::vector<std::uint64_t> words(Rng rng, std::size_t count) {
  std::vector<std::uint64_t> drawn(count);
  for (std::uint64_t& word : drawn) word = rng.next();
  return drawn;
}

/// A state whose next word has all bits set: uniform() is as large as it can be, 1 - 2^-53.
Rng about_to_draw_ones() { return Rng::from_state({0, 0, 0, all_ones}); }

}  // namespace

TEST_CASE("Rng: the state is filled by splitmix64", "[random]") {
  CHECK(Rng(0).state() == Rng::State{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec});
  // The first words of splitmix64 seeded with 1234567, as they are widely published.
  CHECK(Rng(1234567).state() ==
        Rng::State{6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u});
  CHECK(Rng(all_ones).state() ==
        Rng::State{0xe4d971771b652c20, 0xe99ff867dbf682c9, 0x382ff84cb27281e9, 0x6d1db36ccba982d2});
}

TEST_CASE("Rng: the words are those of xoshiro256++", "[random]") {
  // The first words from the state 1, 2, 3, 4, as computed with the C code of the authors.
  CHECK(words(Rng::from_state({1, 2, 3, 4}), 10) ==
        std::vector<std::uint64_t>{41943041u, 58720359u, 3588806011781223u, 3591011842654386u, 9228616714210784205u,
                                   9973669472204895162u, 14011001112246962877u, 12406186145184390807u,
                                   15849039046786891736u, 10450023813501588000u});
  CHECK(words(Rng(0), 5) == std::vector<std::uint64_t>{0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc,
                                                       0x02eebf8c3bbe5e1a, 0x7eca04ebaf4a5eea});
  CHECK(words(Rng(1), 5) == std::vector<std::uint64_t>{0xcfc5d07f6f03c29b, 0xbf424132963fe08d, 0x19a37d5757aaf520,
                                                       0xbf08119f05cd56d6, 0x2f47184b86186fa4});
  CHECK(words(Rng(1), 1000).back() == 0x92d52100f9e1da0d);
}

TEST_CASE("Rng: equal seeds give equal words, other seeds others", "[random]") {
  CHECK(words(Rng(42), 100) == words(Rng(42), 100));
  CHECK(words(Rng(42), 100) != words(Rng(43), 100));
}

TEST_CASE("Rng: a state that was kept is continued", "[random]") {
  Rng rng(9);
  for (int i = 0; i < 17; ++i) rng.next();
  CHECK(words(Rng::from_state(rng.state()), 20) == words(rng, 20));
}

TEST_CASE("Rng::from_state: four zeros are refused", "[random][error]") {
  CHECK_ERROR(Rng::from_state({0, 0, 0, 0}), ArgumentError,
              "Rng::from_state: all four words are 0, expected at least one other");
  CHECK_NOTHROW(Rng::from_state({0, 0, 0, 1}));
}

TEST_CASE("uniform: exact bits", "[random]") {
  Rng rng(7);
  CHECK(rng.uniform() == 0x1.c583400555d20p-5);
  CHECK(rng.uniform() == 0x1.607e46efd274cp-3);
  CHECK(rng.uniform() == 0x1.6f66236761a8bp-1);
  CHECK(rng.uniform() == 0x1.b5767da98c600p-2);
  Rng ranged(7);
  CHECK(ranged.uniform(-3, 1.7) == -0x1.5eb1f619354c3p+1);
  CHECK(ranged.uniform(-3, 1.7) == -0x1.1874818ff3c75p+1);
  CHECK(ranged.uniform(-3, 1.7) == 0x1.7d8ce66562cb8p-2);
}

TEST_CASE("uniform: in [0, 1), a multiple of 2^-53, and spread evenly", "[random]") {
  Rng rng(1);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 100000; ++i) {
    const double value = rng.uniform();
    REQUIRE((value >= 0 && value < 1));
    REQUIRE(value * 0x1p53 == std::floor(value * 0x1p53));
    ++tenths[static_cast<std::size_t>(value * 10)];
  }
  for (const int count : tenths) CHECK(std::abs(count - 10000) < 500);  // 5 standard deviations of 95
}

TEST_CASE("uniform: the largest is below 1", "[random]") { CHECK(about_to_draw_ones().uniform() == 1 - 0x1p-53); }

TEST_CASE("uniform: a range never gives its upper end, also where rounding would", "[random]") {
  CHECK(about_to_draw_ones().uniform(1, 2) < 2);
  CHECK(about_to_draw_ones().uniform(-1, 1) < 1);
  CHECK(about_to_draw_ones().uniform(0, 1) == 1 - 0x1p-53);
  Rng rng = about_to_draw_ones();
  const Matrix<float> matrix = uniform<float>({1, 1}, -0.5, 0.5, rng);  // 1 - 2^-53 is 1 as float
  CHECK(matrix(0, 0) < 0.5F);
  Rng again = about_to_draw_ones();
  CHECK(uniform<float>({1, 1}, 0, 1, again)(0, 0) < 1.0F);
}

TEST_CASE("uniform: an empty range gives its end", "[random]") {
  Rng rng(1);
  CHECK(rng.uniform(0.25, 0.25) == 0.25);
  CHECK(uniform<float>({1, 1}, 0.25, 0.25, rng)(0, 0) == 0.25F);
}

TEST_CASE("uniform: a matrix is filled row by row with the numbers of the generator", "[random]") {
  Rng rng(7), same(7);
  const Matrix<double> matrix = uniform<double>({2, 3}, -0.5, 0.5, rng);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 3; ++j) CHECK(matrix(i, j) == same.uniform(-0.5, 0.5));
  }
  CHECK(rng.state() == same.state());
  Rng for_float(7), for_double(7);
  const Matrix<float> small = uniform<float>({1, 4}, -0.5, 0.5, for_float);
  for (std::size_t j = 0; j < 4; ++j) CHECK(small(0, j) == static_cast<float>(for_double.uniform(-0.5, 0.5)));
}

TEST_CASE("normal: exact bits", "[random]") {
  Rng rng(7);
  for (const double expected :
       {0x1.ac8da7097b412p+0, 0x1.13676381fc58bp-1, 0x1.353ac93b4003ap+0, 0x1.503885ad1394ep-2, -0x1.95f6c5316901dp-7,
        -0x1.a56a161162988p-2, -0x1.14d6d5b7ac86ep-2, 0x1.c194fd7335392p+0}) {
    CHECK(rng.normal() == expected);
  }
}

TEST_CASE("normal: the sum of 100000 is exact to the last bit", "[random]") {
  Rng rng(7);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) sum += rng.normal();
  CHECK(sum == -0x1.4d3965aae5ea7p+8);
  CHECK(rng.state() == Rng::State{0xe0c8e63fcc462332, 0x5f8122ff6d9ea12d, 0x77fb12fd48b4dabe, 0x999ef486294c8016});
}

TEST_CASE("normal: moments and tails are those of the normal distribution", "[random]") {
  constexpr int count = 100000;
  Rng rng(2);
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  int beyond_two = 0;
  for (int i = 0; i < count; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
    cubes += x * x * x;
    fourths += x * x * x * x;
    if (std::abs(x) > 2) ++beyond_two;
  }
  // Five standard errors each: sqrt(1, 2, 15, 96 and p(1-p) over count).
  CHECK(std::abs(sum / count) < 5 * std::sqrt(1.0 / count));
  CHECK(std::abs(squares / count - 1) < 5 * std::sqrt(2.0 / count));
  CHECK(std::abs(cubes / count) < 5 * std::sqrt(15.0 / count));
  CHECK(std::abs(fourths / count - 3) < 5 * std::sqrt(96.0 / count));
  CHECK(std::abs(beyond_two / double{count} - 0.0455) < 5 * std::sqrt(0.0455 * 0.9545 / count));
}

TEST_CASE("normal: a matrix is filled row by row, times the standard deviation", "[random]") {
  Rng rng(7), same(7);
  const Matrix<double> matrix = normal<double>({3, 2}, rng, 0.25);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 2; ++j) CHECK(matrix(i, j) == 0.25 * same.normal());
  }
  CHECK(rng.state() == same.state());
  Rng for_float(7), for_double(7);
  const Matrix<float> small = normal<float>({1, 3}, for_float);
  for (std::size_t j = 0; j < 3; ++j) CHECK(small(0, j) == static_cast<float>(for_double.normal()));
}

TEST_CASE("below: exact numbers, also where two of three draws are rejected", "[random]") {
  struct Known {
    std::uint64_t limit;
    std::vector<std::uint64_t> drawn;
    std::uint64_t next_word;
  };
  const Known known[]{{1, {0, 0, 0, 0, 0, 0}, 0x2156423640caf95c},
                      {2, {1, 1, 1, 1, 0, 1}, 0x2156423640caf95c},
                      {10, {8, 8, 9, 6, 2, 7}, 0x2156423640caf95c},
                      {1000, {859, 806, 964, 603, 262, 713}, 0x2156423640caf95c},
                      {std::uint64_t{1} << 32,
                       {3692739532, 3463750035, 4141224174, 2590800056, 1126871121, 3063107499},
                       0x2156423640caf95c},
                      {std::uint64_t{3} << 62,
                       {11157519843709485423u, 13339816797631837674u, 8345551134922002441u, 3629905960384649293u,
                        284997782466047031u, 10915343041346126203u},
                       0x64cb578754ee04a8},
                      {(std::uint64_t{1} << 63) + 1,
                       {7930097762185814336u, 6577973267082339664u, 189998521644031354u, 7276895360897417469u,
                        6163403360791956498u, 3354118640859250271u},
                       0x4e2fffa105141ddc},
                      {all_ones,
                       {15860195524371628671u, 14876693124945980564u, 17786422396842450232u, 11127401513229336588u,
                        4839874613846199057u, 13155946534164679327u},
                       0x2156423640caf95c}};
  for (const Known& expected : known) {
    Rng rng(11);
    CAPTURE(expected.limit);
    for (const std::uint64_t number : expected.drawn) CHECK(rng.below(expected.limit) == number);
    CHECK(rng.next() == expected.next_word);
  }
}

TEST_CASE("below: each number below the limit is equally likely", "[random]") {
  Rng rng(3);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts.at(rng.below(7));
  for (const int count : counts) CHECK(std::abs(count - 10000) < 500);  // 5 standard deviations of 93
}

TEST_CASE("below: a limit of 0 is refused", "[random][error]") {
  Rng rng(1);
  CHECK_ERROR(rng.below(0), ArgumentError, "Rng::below: limit is 0, expected at least 1");
}

TEST_CASE("fork: exact words for each number", "[random]") {
  const Rng parent(5);
  CHECK(words(parent.fork(0), 2) == std::vector<std::uint64_t>{0xb171645d6e9d7202, 0xbe1821acb41e8889});
  CHECK(words(parent.fork(1), 2) == std::vector<std::uint64_t>{0x28d6d22331ad67c7, 0xe4872378ad5c7542});
  CHECK(words(parent.fork(2), 2) == std::vector<std::uint64_t>{0x74f8717a0cb3a780, 0xfe7707e10a068770});
  CHECK(words(parent.fork(all_ones), 2) == std::vector<std::uint64_t>{0xb11e7b0474299d7c, 0xd849017a3f3bccd5});
}

TEST_CASE("fork: leaves its parent as it was, and depends on state and number alone", "[random]") {
  Rng parent(5);
  const Rng::State before = parent.state();
  const auto second = words(parent.fork(2), 4);
  CHECK(words(parent.fork(1), 4) != second);
  CHECK(words(parent.fork(2), 4) == second);  // in any order
  CHECK(parent.state() == before);
  parent.next();
  CHECK(words(parent.fork(2), 4) != second);
}

TEST_CASE("fork: a thousand numbers give a thousand generators, none that of the parent", "[random]") {
  Rng parent(6);
  std::set<std::uint64_t> first_words{parent.next()};
  for (std::uint64_t number = 0; number < 1000; ++number) first_words.insert(parent.fork(number).next());
  CHECK(first_words.size() == 1001);
}

TEST_CASE("permutation: exact orders", "[random]") {
  const auto drawn = [](std::size_t size) {
    Rng rng(3);
    return permutation(size, rng);
  };
  CHECK(drawn(0).empty());
  CHECK(drawn(1) == std::vector<std::uint32_t>{0});
  CHECK(drawn(2) == std::vector<std::uint32_t>{1, 0});
  CHECK(drawn(10) == std::vector<std::uint32_t>{7, 2, 1, 4, 9, 3, 8, 6, 5, 0});
  CHECK(drawn(20) ==
        std::vector<std::uint32_t>{11, 18, 4, 9, 7, 17, 3, 13, 16, 5, 0, 6, 8, 2, 19, 10, 14, 15, 12, 1});
  std::uint64_t digest = 0;
  for (const std::uint32_t value : drawn(1000)) digest = digest * 31 + value;
  CHECK(digest == 0xef442c316c02405c);
}

TEST_CASE("permutation: has every number once", "[random]") {
  Rng rng(4);
  for (const std::size_t size : {3u, 17u, 1000u, 60000u}) {
    std::vector<std::uint32_t> order = permutation(size, rng);
    if (size > 3) CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> expected(size);
    std::iota(expected.begin(), expected.end(), 0u);
    CHECK(order == expected);
  }
}

TEST_CASE("permutation: each of the six orders of three is equally likely", "[random]") {
  Rng rng(8);
  std::array<int, 27> counts{};
  for (int i = 0; i < 60000; ++i) {
    const auto order = permutation(3, rng);
    ++counts[order[0] * 9 + order[1] * 3 + order[2]];
  }
  int orders = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++orders;
    CHECK(std::abs(count - 10000) < 500);  // 5 standard deviations of 91
  }
  CHECK(orders == 6);
}

TEST_CASE("permutation: a size that 32 bits cannot count is refused before memory is taken", "[random][error]") {
  Rng rng(1);
  CHECK_ERROR(permutation(std::size_t{1} << 32, rng), ArgumentError,
              "permutation: size is 4294967296, expected less than 4294967296");
}

TEST_CASE("shuffle: keeps the values, whatever they are", "[random]") {
  Rng rng(5);
  std::vector<std::uint32_t> values{7, 7, 1, 0xffffffffu, 3};
  shuffle(values, rng);
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<std::uint32_t>{1, 3, 7, 7, 0xffffffffu});
  std::vector<std::uint32_t> none;
  CHECK_NOTHROW(shuffle(none, rng));
}
