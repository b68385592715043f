#include <digitnet/optimizer.hpp>
#include <digitnet/random.hpp>

#include "catch.hpp"
#include "gradient.hpp"

#include "golden_optimizers.hpp"

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
};

/// The optimizer of this name, with the settings of make_golden.py.
template <class Real>
std::unique_ptr<Optimizer<Real>> optimizer_named(const std::string& name) {
  if (name == "sgd") return std::make_unique<Sgd<Real>>(0.5);
  if (name == "momentum") return std::make_unique<Sgd<Real>>(0.1, 0.9);
  if (name == "nesterov") return std::make_unique<Sgd<Real>>(0.1, 0.9, true);
  if (name == "adam") return std::make_unique<Adam<Real>>(0.01);
  return std::make_unique<AdamW<Real>>(0.01, 0.1);
}

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
    CHECK(optimizer->name() == rule.name);
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

TEST_CASE("optimizer: weight decay only for AdamW and only where told", "[optimizer]") {
  for (const Rule& rule : rules) {
    INFO(rule.name);
    const auto optimizer = optimizer_named<double>(rule.name);
    const double decayed = after_one_step(*optimizer, 1.0, true);
    const double plain = after_one_step(*optimizer, 1.0, false);
    if (rule.name == "adamw") {
      CHECK(plain - decayed == Approx(0.01 * 0.1).epsilon(1e-12));
    } else {
      CHECK(decayed == plain);
    }
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
  CHECK(momentum.state() == std::vector<std::vector<double>>{{1, -2}, {1}});
  CHECK(adam.state() == std::vector<std::vector<double>>{{0.5, -1}, {0.5}, {0.25, 1}, {0.25}});

  adam.prepare({3});  // forgets all of that
  CHECK(adam.state() == std::vector<std::vector<double>>{{0, 0, 0}, {0, 0, 0}});
  CHECK(adam.steps() == 0);
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
}

TEST_CASE("optimizer: nonsense settings are named", "[optimizer][error]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double rate : {-0.1, nan, infinity, -infinity}) {
    const std::string part = detail::text("optimizer: learning_rate is ", rate, ", expected a number of at least 0");
    CHECK_ERROR(Sgd<float>(rate), ArgumentError, part);
    CHECK_ERROR(Adam<double>(rate), ArgumentError, part);
    CHECK_ERROR(AdamW<float>(rate), ArgumentError, part);
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
  }
  for (const double number : {-1e-9, nan, infinity}) {
    CHECK_ERROR(Adam<float>(0.1, 0.9, 0.999, number), ArgumentError, detail::text("epsilon is ", number));
    CHECK_ERROR(AdamW<float>(0.1, number), ArgumentError, detail::text("weight_decay is ", number));
  }
  CHECK_ERROR(Sgd<float>(0.1, 0.0, true), ArgumentError, "optimizer: nesterov with momentum 0, expected more than 0");
}
