#include <digitnet/optimizer.hpp>
#include <digitnet/random.hpp>

#include "catch.hpp"
#include "gradient.hpp"

#include "golden_optimizers.hpp"
#include "reference_optimizers.hpp"

#include <functional>
#include <limits>

using namespace digitnet;
namespace golden = test::golden;

namespace {

using Golden = std::array<double, 10>;

struct Rule {
  std::string name;
  const Golden* parameters;  // after 50 steps, see make_golden.py
  const Golden* scheduled;
};

const std::vector<Rule> rules{
    {"sgd", &golden::sgd_parameters, &golden::sgd_scheduled},
    {"momentum", &golden::momentum_parameters, &golden::momentum_scheduled},
    {"nesterov", &golden::nesterov_parameters, &golden::nesterov_scheduled},
    {"adam", &golden::adam_parameters, &golden::adam_scheduled},
    {"adamw", &golden::adamw_parameters, &golden::adamw_scheduled},
    {"adagrad", &golden::adagrad_parameters, &golden::adagrad_scheduled},
    {"rmsprop", &golden::rmsprop_parameters, &golden::rmsprop_scheduled},
    {"rmsprop_graves", &golden::rmsprop_graves_parameters, &golden::rmsprop_graves_scheduled},
    {"nadam", &golden::nadam_parameters, &golden::nadam_scheduled},
    {"lion", &golden::lion_parameters, &golden::lion_scheduled},
    {"lion_decayed", &golden::lion_decayed_parameters, &golden::lion_decayed_scheduled},
};

/// The optimizer of this name, with the settings of make_golden.py.
template <class Real>
std::unique_ptr<Optimizer<Real>> optimizer_named(const std::string& name) {
  if (name == "sgd") return std::make_unique<Sgd<Real>>(0.5);
  if (name == "momentum") return std::make_unique<Sgd<Real>>(0.1, 0.9);
  if (name == "nesterov") return std::make_unique<Sgd<Real>>(0.1, 0.9, true);
  if (name == "adam") return std::make_unique<Adam<Real>>(0.01);
  if (name == "adamw") return std::make_unique<AdamW<Real>>(0.01, 0.1);
  if (name == "adagrad") return std::make_unique<AdaGrad<Real>>(0.1, 0.25);
  if (name == "rmsprop") return std::make_unique<RmsProp<Real>>(0.01);
  if (name == "rmsprop_graves") return std::make_unique<RmsProp<Real>>(0.01, 0.95, 1e-2, 0.8, true);
  if (name == "nadam") return std::make_unique<NAdam<Real>>(0.01);
  return std::make_unique<Lion<Real>>(0.01, 0.9, 0.99, name == "lion" ? 0.0 : 0.1);
}

/// What an optimizer of a rule is called: "rmsprop" for "rmsprop_graves".
std::string_view name_of(const Rule& rule) { return std::string_view(rule.name).substr(0, rule.name.find('_')); }

template <class Real>
using Update = std::function<void(Optimizer<Real>&, std::size_t index, std::span<Real> parameters,
                                  std::span<const Real> gradients)>;

/// Tensor 0, weights, is decayed; tensor 1, biases, is not.
template <class Real>
void update_whole(Optimizer<Real>& optimizer, std::size_t index, std::span<Real> parameters,
                  std::span<const Real> gradients) {
  optimizer.update(index, 0, parameters, gradients, index == 0);
}

/// Seven weights and three biases after 50 steps with random gradients.
template <class Real>
std::vector<Real> after_50_steps(Optimizer<Real>& optimizer, double factor = 1,
                                 const Update<Real>& update = update_whole<Real>) {
  Rng rng(1);
  std::vector<Real> parameters(10);
  for (Real& p : parameters) p = static_cast<Real>(rng.uniform(-1, 1));
  const std::span<Real> all(parameters);
  optimizer.prepare({7, 3});
  double schedule = 1;
  for (int step = 0; step < 50; ++step) {
    std::array<Real, 10> gradients{};
    for (Real& g : gradients) g = static_cast<Real>(rng.uniform(-1, 1));
    const std::span<const Real> all_gradients(gradients);
    optimizer.begin_step(schedule);
    update(optimizer, 0, all.first(7), all_gradients.first(7));
    update(optimizer, 1, all.last(3), all_gradients.last(3));
    schedule *= factor;
  }
  return parameters;
}

/// The parameter 1 after one step with gradient 1.
double after_one_step(Optimizer<double>& optimizer, double schedule = 1.0, bool decayed = true) {
  double parameter = 1;
  const double gradient = 1;
  optimizer.prepare({1});
  optimizer.begin_step(schedule);
  optimizer.update(0, 0, {&parameter, 1}, {&gradient, 1}, decayed);
  return parameter;
}

}  // namespace

TEMPLATE_TEST_CASE("optimizer: 50 steps agree with NumPy", "[optimizer]", float, double) {
  // 50 steps, each rounded a few times; parameters around 1.
  const double limit = 500 * static_cast<double>(std::numeric_limits<TestType>::epsilon());
  for (const Rule& rule : rules) {
    INFO(rule.name);
    const auto optimizer = optimizer_named<TestType>(rule.name);
    CHECK(optimizer->name() == name_of(rule));
    CHECK(test::relative_error(after_50_steps(*optimizer), *rule.parameters) < limit);
    CHECK(optimizer->steps() == 50);
    CHECK(test::relative_error(after_50_steps(*optimizer, 0.95), *rule.scheduled) < limit);  // prepared anew
    CHECK(optimizer->steps() == 50);
  }
}

TEMPLATE_TEST_CASE("optimizer: a tensor updated in parts gets the same bits as whole", "[optimizer]", float, double) {
  const Update<TestType> in_parts = [](Optimizer<TestType>& optimizer, std::size_t index,
                                       std::span<TestType> parameters, std::span<const TestType> gradients) {
    // From the back, in pieces of one, two, three ...
    std::size_t end = parameters.size();
    for (std::size_t size = 1; end > 0; ++size) {
      const std::size_t first = end - std::min(size, end);
      optimizer.update(index, first, parameters.subspan(first, end - first), gradients.subspan(first, end - first),
                       index == 0);
      end = first;
    }
  };
  for (const Rule& rule : rules) {
    INFO(rule.name);
    const auto whole = optimizer_named<TestType>(rule.name);
    const auto parts = optimizer_named<TestType>(rule.name);
    CHECK(after_50_steps(*whole) == after_50_steps<TestType>(*parts, 1, in_parts));
    CHECK(whole->state() == parts->state());
    CHECK(whole->steps() == parts->steps());  // one a batch, however many parts
  }
}

TEST_CASE("optimizer: one step done by hand", "[optimizer]") {
  Sgd<double> sgd(0.25);
  CHECK(after_one_step(sgd) == 0.75);
  CHECK(after_one_step(sgd, 0.5) == 0.875);
  CHECK(after_one_step(sgd, 0.0) == 1);
  Sgd<double> momentum(0.25, 0.5);
  CHECK(after_one_step(momentum) == 0.75);
  Sgd<double> nesterov(0.25, 0.5, true);
  CHECK(after_one_step(nesterov) == 1 - 0.25 * 1.5);
  Adam<double> adam(0.25, 0.9, 0.999, 0.0);
  CHECK(after_one_step(adam) == Approx(0.75).epsilon(1e-14));  // the first step is the learning rate
  AdamW<double> adamw(0.25, 0.5, 0.9, 0.999, 0.0);
  CHECK(after_one_step(adamw) == Approx(0.875 - 0.25).epsilon(1e-14));
}

TEMPLATE_TEST_CASE("optimizer: the loops agree with the plain rules, whatever the size and the place", "[optimizer]",
                   float, double) {
  constexpr int steps = 4;
  std::vector<std::size_t> sizes(71);
  for (std::size_t size = 0; size < sizes.size(); ++size) sizes[size] = size;
  for (const std::size_t size : {255u, 1000u, 4099u}) sizes.push_back(size);
  for (const auto& rule : test::reference_rules<TestType>()) {
    INFO(rule.name);
    Rng rng(3);
    const auto optimizer = rule.make();
    optimizer->set_weight_decay(0.25);
    optimizer->prepare({5, 5000});
    // The second tensor is cut at places that no vector likes, with the rest left alone.
    for (const std::size_t size : sizes) {
      const std::size_t first = rng.below(37);
      const bool decayed = size % 2 == 1;
      INFO(size << " from " << first << (decayed ? ", decayed" : ""));
      std::vector<TestType> parameters(size + 2);
      for (TestType& p : parameters) p = static_cast<TestType>(rng.uniform(-1, 1));
      std::vector<test::Remembered<TestType>> expected;
      expected.reserve(parameters.size());
      for (const TestType p : parameters) expected.push_back({p, rule.start});
      const TestType around[] = {parameters.front(), parameters.back()};
      optimizer->prepare({5, 5000});
      for (int t = 1; t <= steps; ++t) {
        std::vector<TestType> gradients(size);
        for (TestType& g : gradients) g = static_cast<TestType>(rng.uniform(-1, 1));
        const double schedule = 1.0 / t;
        optimizer->begin_step(schedule);
        optimizer->update(1, first, std::span(parameters).subspan(1, size), gradients, decayed);
        const auto rate = static_cast<TestType>(rule.learning_rate * schedule);
        for (std::size_t i = 0; i < size; ++i) {
          if (decayed) expected[i + 1].p -= rate * TestType(0.25) * expected[i + 1].p;
          rule.step(expected[i + 1], gradients[i], rate, t);
        }
      }
      CHECK(around[0] == parameters.front());
      CHECK(around[1] == parameters.back());
      // A variance that is nearly 0 is known to no more digits than the squares it is the difference of.
      const bool delicate = rule.name.find("centered") != std::string::npos;
      const double limit = (delicate ? 4000 : 40) * static_cast<double>(std::numeric_limits<TestType>::epsilon());
      double apart = 0;
      for (std::size_t i = 1; i <= size; ++i) {
        const auto p = static_cast<double>(expected[i].p);
        apart = std::max(apart, std::abs(static_cast<double>(parameters[i]) - p) / (1 + std::abs(p)));
      }
      CHECK(apart < limit);
      for (std::size_t which = 0; which < optimizer->state().size() / 2; ++which) {
        const auto& whole = optimizer->state()[2 * which + 1];
        double far = 0;
        double touched = 0;
        for (std::size_t i = 0; i < whole.size(); ++i) {
          if (i >= first && i < first + size) {
            const auto s = static_cast<double>(expected[i - first + 1].state[which]);
            far = std::max(far, std::abs(static_cast<double>(whole[i]) - s) / (1 + std::abs(s)));
          } else {
            touched += whole[i] == rule.start[which] ? 0 : 1;
          }
        }
        CHECK(far < limit);
        CHECK(touched == 0);
      }
    }
  }
}

TEMPLATE_TEST_CASE("optimizer: parts of a large tensor in any order give the same bits", "[optimizer]", float,
                   double) {
  constexpr std::size_t size = 3001;
  for (const auto& rule : test::reference_rules<TestType>()) {
    INFO(rule.name);
    const auto run = [&](const std::vector<std::size_t>& cuts) {
      Rng rng(4);
      std::vector<TestType> parameters(size), gradients(size);
      for (TestType& p : parameters) p = static_cast<TestType>(rng.uniform(-1, 1));
      const auto optimizer = rule.make();
      optimizer->set_weight_decay(0.1);
      optimizer->prepare({size});
      for (int step = 0; step < 10; ++step) {
        for (TestType& g : gradients) g = static_cast<TestType>(rng.uniform(-1, 1));
        optimizer->begin_step();
        for (std::size_t part = cuts.size() - 1; part > 0; --part) {  // from the back
          const std::size_t count = cuts[part] - cuts[part - 1];
          optimizer->update(0, cuts[part - 1], std::span(parameters).subspan(cuts[part - 1], count),
                            std::span<const TestType>(gradients).subspan(cuts[part - 1], count), true);
        }
      }
      return std::pair(parameters, optimizer->state());
    };
    const auto whole = run({0, size});
    CHECK(run({0, 1, 2, 3, 10, 33, 100, 1000, 1001, 2999, size}) == whole);
    CHECK(run({0, 7, 1024, 1500, size}) == whole);
  }
}

TEST_CASE("optimizer: every rule can let weights decay, and only where told", "[optimizer]") {
  for (const Rule& rule : rules) {
    INFO(rule.name);
    const auto optimizer = optimizer_named<double>(rule.name);
    const bool decays = rule.name == "adamw" || rule.name == "lion_decayed";
    CHECK(optimizer->weight_decay() == (decays ? 0.1 : 0));
    optimizer->set_weight_decay(0);
    const double plain = after_one_step(*optimizer, 1.0, true);
    optimizer->set_weight_decay(0.1);
    CHECK(optimizer->weight_decay() == 0.1);
    CHECK(after_one_step(*optimizer, 1.0, false) == plain);
    const double rate = optimizer->learning_rate();
    CHECK(plain - after_one_step(*optimizer, 1.0, true) == Approx(rate * 0.1).epsilon(1e-12));
    optimizer->set_weight_decay(0);
    const double half = after_one_step(*optimizer, 0.5, true);
    optimizer->set_weight_decay(0.1);
    CHECK(half - after_one_step(*optimizer, 0.5, true) == Approx(rate * 0.05).epsilon(1e-12));  // with the schedule
  }
  AdamW<double> without(0.01, 0.0);
  Adam<double> adam(0.01);
  CHECK(after_50_steps(without) == after_50_steps(adam));
}

TEST_CASE("optimizer: with a learning rate of 0 nothing moves", "[optimizer]") {
  for (const Rule& rule : rules) {
    INFO(rule.name);
    const auto optimizer = optimizer_named<float>(rule.name);
    const auto before = [&] {
      Rng rng(1);
      std::vector<float> parameters(10);
      for (float& p : parameters) p = static_cast<float>(rng.uniform(-1, 1));
      return parameters;
    }();
    CHECK(after_50_steps(*optimizer) != before);
    optimizer->set_learning_rate(0);
    CHECK(optimizer->learning_rate() == 0);
    CHECK(after_50_steps(*optimizer) == before);
  }
}

TEST_CASE("optimizer: what is remembered lies tensor by tensor, first moments before second", "[optimizer]") {
  const auto sizes = [](const Optimizer<double>& optimizer) {
    std::vector<std::size_t> lengths;
    for (const auto& part : optimizer.state()) lengths.push_back(part.size());
    return lengths;
  };
  Sgd<double> sgd(0.1);
  Sgd<double> momentum(0.1, 0.5);
  Adam<double> adam(0.1, 0.5, 0.75);
  for (Optimizer<double>* optimizer : std::initializer_list<Optimizer<double>*>{&sgd, &momentum, &adam}) {
    CHECK(optimizer->state().empty());
    optimizer->prepare({2, 1});
    CHECK(optimizer->steps() == 0);
    optimizer->begin_step();
    CHECK(optimizer->steps() == 1);
    std::array<double, 2> p{0, 0};
    const std::array<double, 2> g{1, -2};
    optimizer->update(0, 0, p, g, true);
    optimizer->update(1, 0, std::span<double>(p).first(1), std::span<const double>(g).first(1), false);
    CHECK(optimizer->steps() == 1);
  }
  CHECK(sizes(sgd).empty());
  CHECK(sizes(momentum) == std::vector<std::size_t>{2, 1});
  CHECK(momentum.state() == std::vector<Optimizer<double>::Numbers>{{1, -2}, {1}});
  CHECK(adam.state() == std::vector<Optimizer<double>::Numbers>{{0.5, -1}, {0.5}, {0.25, 1}, {0.25}});

  adam.prepare({3});  // forgets all of that
  CHECK(adam.state() == std::vector<Optimizer<double>::Numbers>{{0, 0, 0}, {0, 0, 0}});
  CHECK(adam.steps() == 0);
}

TEMPLATE_TEST_CASE("optimizer: a copy, and one restored, go on with the same bits", "[optimizer]", float, double) {
  for (const Rule& rule : rules) {
    INFO(rule.name);
    const auto first = optimizer_named<TestType>(rule.name);
    std::vector<TestType> parameters = after_50_steps(*first);
    const auto copy = first->clone();
    CHECK(copy->name() == first->name());
    CHECK(copy->steps() == 50);
    const auto restored = optimizer_named<TestType>(rule.name);
    restored->prepare({7, 3});
    restored->restore(first->steps(), first->state());
    CHECK(restored->steps() == 50);

    const auto go_on = [&, start = parameters](Optimizer<TestType>& optimizer) {
      std::vector<TestType> moved = start;
      const std::vector<TestType> gradients(10, TestType(0.3));
      for (int step = 0; step < 5; ++step) {
        optimizer.begin_step(0.5);
        update_whole<TestType>(optimizer, 0, std::span(moved).first(7), std::span(gradients).first(7));
        update_whole<TestType>(optimizer, 1, std::span(moved).last(3), std::span(gradients).last(3));
      }
      return moved;
    };
    const auto state = first->state();
    const auto expected = go_on(*copy);
    CHECK(first->state() == state);  // a copy of its own
    CHECK(go_on(*restored) == expected);
    CHECK(restored->state() == copy->state());
    CHECK(go_on(*first) == expected);
    first->restore(50, state);  // back in time
    CHECK(go_on(*first) == expected);
  }
}

TEST_CASE("optimizer: a state of other sizes is not restored", "[optimizer][error]") {
  Adam<double> adam;
  adam.prepare({2, 1});
  adam.begin_step();
  const auto before = adam.state();
  CHECK_ERROR(adam.restore(7, {{1, 2}, {3}}), ShapeError,
              "optimizer: a state of 2 arrays, expected 4 (adam, 2 tensors)");
  CHECK_ERROR(adam.restore(7, {{1, 2}, {3}, {4, 5}, {6, 7}}), ShapeError,
              "optimizer: array 3 of the state has 2 numbers, expected 1");
  CHECK(adam.state() == before);
  CHECK(adam.steps() == 1);
  Sgd<float> sgd;
  CHECK_ERROR(sgd.restore(1, {{1}}), ShapeError, "optimizer: a state of 1 arrays, expected 0 (sgd, 0 tensors)");
}

TEST_CASE("optimizer: by name", "[optimizer]") {
  for (const std::string_view name : optimizer_names) {
    INFO(name);
    const auto optimizer = make_optimizer<float>(name);
    CHECK(optimizer->name() == name);
    CHECK(optimizer->learning_rate() == default_learning_rate(name));
    CHECK(optimizer->learning_rate() > 0);
    CHECK(make_optimizer<double>(name, 0.125)->learning_rate() == 0.125);
    CHECK(make_optimizer<double>(name, 0.0)->learning_rate() == 0);
    CHECK_ERROR(make_optimizer<double>(name, -1.0), ArgumentError, "optimizer: learning_rate is -1, expected");
  }
  const std::string part =
      "optimizer \"best\", expected one of sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, "
      "nadam, lion";
  CHECK_ERROR(make_optimizer<float>("best"), ArgumentError, part);
  CHECK_ERROR(make_optimizer<float>("best", 0.1), ArgumentError, part);
  CHECK_ERROR(default_learning_rate("best"), ArgumentError, part);
}

TEST_CASE("optimizer: AdaGrad's steps shrink as gradients add up", "[optimizer]") {
  AdaGrad<double> adagrad(1.0, 0.0, 0.0);
  adagrad.prepare({1});
  double parameter = 0;
  const double gradient = 3;
  double expected = 0;
  for (int step = 1; step <= 20; ++step) {
    adagrad.begin_step();
    adagrad.update(0, 0, {&parameter, 1}, {&gradient, 1}, false);
    expected -= 1 / std::sqrt(step);
    CHECK(parameter == Approx(expected).epsilon(1e-12));
  }
  AdaGrad<float> with_start(1.0, 0.5);
  with_start.prepare({2});
  CHECK(with_start.state() == std::vector<Optimizer<float>::Numbers>{{0.5, 0.5}});
}

TEMPLATE_TEST_CASE("optimizer: centered RMSProp survives a gradient that never changes", "[optimizer]", float,
                   double) {
  // The variance is 0 but for rounding, which may take it below 0.
  RmsProp<TestType> rmsprop(1e-3, 0.9, 1e-3, 0.0, true);
  rmsprop.prepare({64});
  std::vector<TestType> parameters(64), gradients(64);
  for (std::size_t i = 0; i < 64; ++i) gradients[i] = TestType(0.1) * static_cast<TestType>(i + 1);
  for (int step = 0; step < 500; ++step) {
    rmsprop.begin_step();
    rmsprop.update(0, 0, parameters, gradients, false);
  }
  for (const TestType p : parameters) CHECK(std::isfinite(p));
}

TEST_CASE("optimizer: Lion's steps are of exactly the learning rate, or none, and do not hide what is not a number",
          "[optimizer]") {
  Lion<double> lion(0.125);
  lion.prepare({4});
  std::array<double, 4> parameters{1, 1, 1, 1};
  const std::array<double, 4> gradients{1e-30, -1e30, 0, std::numeric_limits<double>::quiet_NaN()};
  lion.begin_step();
  lion.update(0, 0, parameters, gradients, false);
  CHECK(parameters[0] == 0.875);
  CHECK(parameters[1] == 1.125);
  CHECK(parameters[2] == 1);
  CHECK(std::isnan(parameters[3]));
}

TEST_CASE("optimizer: Adam's steps are of about the learning rate, whatever the size of the gradients",
          "[optimizer]") {
  for (const float scale : {1e-5F, 1.0F, 1e5F}) {
    Adam<float> adam(0.1);
    adam.prepare({1});
    float parameter = 0;
    const float gradient = scale;
    for (int step = 1; step <= 10; ++step) {
      adam.begin_step();
      adam.update(0, 0, {&parameter, 1}, {&gradient, 1}, false);
      CHECK(parameter == Approx(-0.1 * step).epsilon(2e-3));  // epsilon is a thousandth of the least gradient
    }
  }
}

TEST_CASE("optimizer: settings can be read back", "[optimizer]") {
  CHECK(Sgd<float>().learning_rate() == 0.1);
  CHECK(Sgd<float>().momentum() == 0);
  CHECK(!Sgd<float>().nesterov());
  CHECK(Sgd<float>(0.1, 0.9, true).nesterov());
  CHECK(Sgd<float>(0.1, 0.75).momentum() == 0.75);
  const Adam<float> adam(0.5, 0.25, 0.75, 1e-3);
  CHECK(adam.learning_rate() == 0.5);
  CHECK(adam.beta1() == 0.25);
  CHECK(adam.beta2() == 0.75);
  CHECK(adam.epsilon() == 1e-3);
  const AdamW<float> adamw(0.5, 0.125, 0.25, 0.75, 1e-3);
  CHECK(adamw.weight_decay() == 0.125);
  CHECK(adamw.beta1() == 0.25);
  CHECK(adamw.beta2() == 0.75);
  CHECK(adamw.epsilon() == 1e-3);
  CHECK(AdamW<float>().weight_decay() == 1e-2);
  CHECK(Sgd<float>(0.1, 0.5, true, 0.25).weight_decay() == 0.25);
  CHECK(Adam<float>(0.1, 0.9, 0.999, 1e-8, 0.25).weight_decay() == 0.25);
  const AdaGrad<float> adagrad(0.5, 0.25, 1e-3, 0.125);
  CHECK(adagrad.initial_accumulator() == 0.25);
  CHECK(adagrad.epsilon() == 1e-3);
  CHECK(adagrad.weight_decay() == 0.125);
  const RmsProp<float> rmsprop(0.5, 0.25, 1e-3, 0.75, true, 0.125);
  CHECK(rmsprop.rho() == 0.25);
  CHECK(rmsprop.epsilon() == 1e-3);
  CHECK(rmsprop.momentum() == 0.75);
  CHECK(rmsprop.centered());
  CHECK(rmsprop.weight_decay() == 0.125);
  const NAdam<float> nadam(0.5, 0.25, 0.75, 1e-3, 0.5, 0.125);
  CHECK(nadam.beta1() == 0.25);
  CHECK(nadam.beta2() == 0.75);
  CHECK(nadam.epsilon() == 1e-3);
  CHECK(nadam.momentum_decay() == 0.5);
  CHECK(nadam.weight_decay() == 0.125);
  const Lion<float> lion(0.5, 0.25, 0.75, 0.125);
  CHECK(lion.beta1() == 0.25);
  CHECK(lion.beta2() == 0.75);
  CHECK(lion.weight_decay() == 0.125);
}

TEST_CASE("optimizer: nonsense settings are named", "[optimizer][error]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double rate : {-0.1, nan, infinity, -infinity}) {
    const std::string part = detail::text("optimizer: learning_rate is ", rate, ", expected a number of at least 0");
    CHECK_ERROR(Sgd<float>(rate), ArgumentError, part);
    CHECK_ERROR(Adam<double>(rate), ArgumentError, part);
    CHECK_ERROR(AdamW<float>(rate), ArgumentError, part);
    CHECK_ERROR(AdaGrad<float>(rate), ArgumentError, part);
    CHECK_ERROR(RmsProp<double>(rate), ArgumentError, part);
    CHECK_ERROR(NAdam<float>(rate), ArgumentError, part);
    CHECK_ERROR(Lion<double>(rate), ArgumentError, part);
    Sgd<float> sgd(0.5);
    CHECK_ERROR(sgd.set_learning_rate(rate), ArgumentError, part);
    CHECK(sgd.learning_rate() == 0.5);
  }
  for (const double share : {-0.1, 1.0, 1.5, nan, infinity}) {
    CHECK_ERROR(Sgd<float>(0.1, share), ArgumentError,
                detail::text("optimizer: momentum is ", share, ", expected a number of at least 0 and below 1"));
    CHECK_ERROR(Adam<float>(0.1, share), ArgumentError, detail::text("beta1 is ", share, ", expected"));
    CHECK_ERROR(Adam<float>(0.1, 0.9, share), ArgumentError, detail::text("beta2 is ", share, ", expected"));
    CHECK_ERROR(AdamW<float>(0.1, 0.0, share), ArgumentError, detail::text("beta1 is ", share, ", expected"));
    CHECK_ERROR(RmsProp<float>(0.1, share), ArgumentError, detail::text("rho is ", share, ", expected"));
    CHECK_ERROR(RmsProp<float>(0.1, 0.9, 1e-8, share), ArgumentError, detail::text("momentum is ", share));
    CHECK_ERROR(NAdam<float>(0.1, share), ArgumentError, detail::text("beta1 is ", share, ", expected"));
    CHECK_ERROR(NAdam<float>(0.1, 0.9, share), ArgumentError, detail::text("beta2 is ", share, ", expected"));
    CHECK_ERROR(Lion<float>(0.1, share), ArgumentError, detail::text("beta1 is ", share, ", expected"));
    CHECK_ERROR(Lion<float>(0.1, 0.9, share), ArgumentError, detail::text("beta2 is ", share, ", expected"));
  }
  for (const double number : {-1e-9, nan, infinity}) {
    CHECK_ERROR(Adam<float>(0.1, 0.9, 0.999, number), ArgumentError, detail::text("epsilon is ", number));
    const std::string decay =
        detail::text("optimizer: weight_decay is ", number, ", expected a number of at least 0");
    CHECK_ERROR(AdamW<float>(0.1, number), ArgumentError, decay);
    CHECK_ERROR(Sgd<float>(0.1, 0.0, false, number), ArgumentError, decay);
    CHECK_ERROR(Adam<float>(0.1, 0.9, 0.999, 1e-8, number), ArgumentError, decay);
    CHECK_ERROR(AdaGrad<float>(0.1, 0.0, 1e-10, number), ArgumentError, decay);
    CHECK_ERROR(RmsProp<float>(0.1, 0.9, 1e-8, 0.0, false, number), ArgumentError, decay);
    CHECK_ERROR(NAdam<float>(0.1, 0.9, 0.999, 1e-8, 4e-3, number), ArgumentError, decay);
    CHECK_ERROR(Lion<float>(0.1, 0.9, 0.99, number), ArgumentError, decay);
    Lion<float> lion(0.1, 0.9, 0.99, 0.5);
    CHECK_ERROR(lion.set_weight_decay(number), ArgumentError, decay);
    CHECK(lion.weight_decay() == 0.5);
    CHECK_ERROR(AdaGrad<float>(0.1, number), ArgumentError, detail::text("initial_accumulator is ", number));
    CHECK_ERROR(AdaGrad<float>(0.1, 0.0, number), ArgumentError, detail::text("epsilon is ", number));
    CHECK_ERROR(RmsProp<float>(0.1, 0.9, number), ArgumentError, detail::text("epsilon is ", number));
    CHECK_ERROR(NAdam<float>(0.1, 0.9, 0.999, number), ArgumentError, detail::text("epsilon is ", number));
    CHECK_ERROR(NAdam<float>(0.1, 0.9, 0.999, 1e-8, number), ArgumentError,
                detail::text("momentum_decay is ", number));
  }
  CHECK_ERROR(Sgd<float>(0.1, 0.0, true), ArgumentError, "optimizer: nesterov with momentum 0, expected more than 0");
}
