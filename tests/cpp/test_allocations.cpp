// A training and a Predictor allocate nothing once they run: counted by replacing operator new in this program.
#include "catch.hpp"
#include "small_networks.hpp"

#include <digitnet/inference.hpp>
#include <digitnet/trainer.hpp>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (void* const memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded)) return memory;
  throw std::bad_alloc();
}

[[gnu::noinline]] void release(void* memory) { std::free(memory); }  // apart, for the compiler knows its new and free

}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return ::operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return ::operator new(size); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

using namespace digitnet;

TEST_CASE("train: nothing is allocated from the first batch of an epoch to its last", "[trainer]") {
  Rng rng(1);
  Images images = test::random_images(400, 12, 12, rng);
  const bool sparse = GENERATE(false, true);
  if (sparse) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (i % 5 != 0) images.data()[i] = 0;
    }
  }
  const Dataset data(std::move(images), test::random_labels(400, 10, rng));
  Network<float> network({144, 140, 10}, Activation::relu, rng);
  AdamW<float> optimizer;
  TrainingOptions options;
  options.epochs = 3;
  options.batch_size = 32;
  options.threads = 2;
  if (GENERATE(false, true)) {
    options.augmentation.emplace();
    options.augmentation->erase = options.augmentation->noise = options.augmentation->specks = 0.5;
  }
  if (GENERATE(false, true)) {
    options.dropout = 0.2;
    options.input_dropout = 0.1;
    options.batch_norm = true;
    options.clip_norm = 1;
    options.max_norm = 3;
    options.averaging = Averaging::ema;
    options.statistics = true;
    options.class_weights.assign(10, 1.0);
  }
  std::size_t at_first = 0;
  std::vector<std::size_t> during(options.epochs);
  options.on_batch = [&](const BatchReport& report) {
    if (report.batch == 1) at_first = allocations;
    if (report.batch == report.batches) during[report.epoch - 1] = allocations - at_first;
  };
  train(network, data, {}, optimizer, options, rng);
  CHECK(during == std::vector<std::size_t>(options.epochs, 0));
}

TEMPLATE_TEST_CASE("Predictor: nothing is allocated for an answer", "[inference]", float, double) {
  Rng rng(2);
  for (const std::size_t outputs : {10u, 30u}) {
    const Architecture architecture{{144, 40, 20, outputs},
                                    {Activation::relu, Activation::gelu, Activation::softmax}};
    Predictor<TestType> predictor(test::random_network<TestType>(architecture, rng));
    const Images images = test::random_images(1, 12, 12, rng);
    const std::vector<TestType> numbers(144, TestType{1} / 2);
    const std::size_t before = allocations;
    const std::size_t read = predictor.predict({images.data(), 144}) + predictor.predict(std::span(numbers));
    const TestType sum = predictor.forward({images.data(), 144})[0] + predictor.forward(std::span(numbers))[0];
    CHECK(allocations == before);
    CHECK(read < 2 * outputs);
    CHECK(sum < 2);
  }
}

TEST_CASE("QuantizedPredictor: nothing is allocated for an answer", "[inference]") {
  Rng rng(4);
  for (const std::size_t outputs : {10u, 30u}) {
    const Architecture architecture{{145, 40, 21, outputs},
                                    {Activation::relu, Activation::gelu, Activation::softmax}};
    QuantizedPredictor predictor(test::random_network<float>(architecture, rng));
    const std::vector<std::uint8_t> pixels(145, 3);
    const std::vector<float> numbers(145, 0.5F);
    predictor.predict(std::span(pixels));  // finds out about the processor
    const std::size_t before = allocations;
    const std::size_t read = predictor.predict(std::span(pixels)) + predictor.predict(std::span(numbers));
    const float sum = predictor.forward(std::span(pixels))[0] + predictor.predict_proba(std::span(numbers))[0];
    CHECK(allocations == before);
    CHECK(read < 2 * outputs);
    CHECK(sum < 2);
  }
}

TEST_CASE("Network: a prediction allocates as often for ten blocks of samples as for two", "[network]") {
  Rng rng(3);
  const bool blank = GENERATE(false, true);
  Images images = test::random_images(2560, 12, 12, rng);
  if (blank) std::fill(images.begin(), images.end(), std::uint8_t{0});
  const Dataset data(std::move(images), test::random_labels(2560, 10, rng));
  const Network<float> network({144, 40, 10}, Activation::relu, rng);
  const auto count = [&](const Dataset& asked) {
    const std::size_t before = allocations;
    const Labels labels = network.predict(asked);
    return labels.size() == asked.size() ? allocations - before : 0;
  };
  const std::size_t for_two = count(data.slice(0, 512));
  CHECK(for_two > 0);
  CHECK(count(data) == for_two);
}
